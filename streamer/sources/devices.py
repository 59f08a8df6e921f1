"""Which webcams are plugged in, told without opening any."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Webcam:
    """A camera that is plugged in.

    Attributes:
        index: number of the device node, what the user types to choose it.
        path: the device node.
        name: what the driver calls it.
    """

    index: int
    path: str
    name: str


def list_webcams(root: Path = Path("/")) -> list[Webcam]:
    """Return the capture devices by index.

    A camera has several nodes, of which the first (``index`` 0 in sysfs) gives pictures and the others
    metadata.

    Args:
        root: where ``dev`` and ``sys`` are found.
    """
    webcams = []
    for node in (root / "dev").glob("video*"):
        match = re.fullmatch(r"video(\d+)", node.name)
        if match is None:
            continue
        facts = root / "sys/class/video4linux" / node.name
        if _first_line(facts / "index") not in ("", "0"):
            continue
        webcams.append(Webcam(int(match[1]), str(node), _first_line(facts / "name") or node.name))
    return sorted(webcams, key=lambda webcam: webcam.index)


def _first_line(path: Path) -> str:
    """Return the text of a small sysfs file, empty when there is none."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
