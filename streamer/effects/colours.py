"""Colours as people write them, in presets, on the command line and in forms alike."""

from __future__ import annotations

import re
from typing import Any


def as_hex(value: Any) -> Any:
    """A colour as ``#rrggbb`` in small letters.

    Args:
        value: ``#b03050``, ``#b35``, either without its ``#``, or a name of CSS such as ``crimson``; capitals do not
            matter.

    Returns:
        The colour; what is none comes back as it is.

    Example:
        >>> as_hex("Crimson"), as_hex("#B35"), as_hex("b03050")
        ('#dc143c', '#bb3355', '#b03050')
    """
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    if match := re.fullmatch("#?([0-9a-f]{6}|[0-9a-f]{3})", text):
        digits = match[1]
        return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))
    from PIL import ImageColor  # only here: most colours are numbers, and this takes a moment to load

    return ImageColor.colormap.get(text.replace(" ", ""), value)
