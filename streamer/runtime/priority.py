"""Whose turn it is when more threads are busy than there are cores: the window's, before that of a batch job.

A file that is analysed as fast as possible takes every core there is, and the GUI thread has to queue with it for the
millisecond that a paint takes. Measured on 2 cores which other programs kept busy as well: a paint waited 4.2 ms for a
core on average, and 1.6 ms at a niceness of 5; the GUI thread's p99 fell from 61 to 40 ms, and the analysis lost
nothing. Less than 3 made no difference.

Sources that keep their own pace do not give way, although a paint would wait less: where other programs fill all cores,
niceness also puts this one behind those, and in such a test a clip at its own pace was analysed at 9 fps instead of 24.
"""

from __future__ import annotations

import os
import sys
import threading

_NICENESS = 5  # above the main thread's
_LEAST_URGENT = 19

_has_window = False


def prefer_window() -> None:
    """Let what this process does as fast as it can give way to its main thread, from its start on.

    This is a setting of the whole process, so a program with a window makes it; without one there is nobody to give
    way to, and the workers are as urgent as those of any other program.
    """
    global _has_window
    _has_window = True


def give_way() -> None:
    """Make the calling thread, and every thread it starts, less urgent than the window; nobody waits for its work.

    Linux alone has a niceness for each thread; elsewhere this does nothing.
    """
    if _has_window and sys.platform.startswith("linux"):
        main = os.getpriority(os.PRIO_PROCESS, os.getpid())  # of the main thread alone, as the next line is of this one
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(main + _NICENESS, _LEAST_URGENT))
