"""Memory of a training step is kept for the next one."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

# Parameters of glibc's mallopt(3).
_TRIM_THRESHOLD: Final = -1
_TOP_PAD: Final = -2
_MMAP_MAX: Final = -4
_PAD: Final = 1 << 28


def keep_memory() -> None:
    """Let freed memory stay with the process, where the C library is glibc; elsewhere nothing happens.

    Tensors of tens of megabytes are made and freed in every step. glibc asks the system for each anew, and the
    system clears every page of it: half of the time of a step.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_TOP_PAD, _PAD)
