"""How the process gives memory back to the system: not between one video frame and the next."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # from glibc's malloc.h
_KEEP = 256 << 20
_LARGEST = 32 << 20  # glibc refuses more; a 4K frame takes 25 MB


def keep_freed_memory() -> None:
    """Let freed frames stay with the process, up to 256 MB, for the frames that follow.

    By default glibc returns a freed frame to the system and asks for the same pages again 30 times a second: 220
    page faults a frame at 720p, a sixth of what following one face costs. This is a setting of the whole process,
    so programs make it and the library does not. Does nothing where the C library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST)
        mallopt(_M_TRIM_THRESHOLD, _KEEP)
