"""How the process gives memory back to the system: not between one video frame, or training step, and the next.

These are settings of the whole process, so programs make them and the library does not. They do nothing where the C
library is not glibc.
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -2, -3, -4  # from glibc's malloc.h
_KEEP = 256 << 20
_LARGEST = 32 << 20  # glibc refuses more; a 4K frame takes 25 MB
_NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Let freed frames stay with the process, up to 256 MB, for the frames that follow.

    By default glibc returns a freed frame to the system and asks for the same pages again 30 times a second: 220
    page faults a frame at 720p, a sixth of what following one face costs.
    """
    _set({_M_MMAP_THRESHOLD: _LARGEST, _M_TRIM_THRESHOLD: _KEEP})


def keep_training_memory() -> None:
    """Let all freed memory stay with the process.

    A training step makes and frees hundreds of tensors of up to a hundred megabytes. By default glibc asks the system
    for each anew, and the system clears every page of it: four tenths of the time of a step
    (``python -m benchmarks training``).
    """
    _set({_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: _NEVER, _M_TOP_PAD: _KEEP})


def _set(options: dict[int, int]) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
    if mallopt is not None:
        for option, value in options.items():
            mallopt(option, value)
