"""A private X server to open windows on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def private_display(width: int = 1280, height: int = 720) -> Iterator[str]:
    """Run Xvfb on a free display, with one screen of this size; gives its name, such as ``:7``."""
    read, write = os.pipe()
    screen = f"{width}x{height}x24"
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", screen, "-dpi", "96", "-nolisten", "tcp"]
    command.append("-noreset")  # when the last window goes: whoever connects in that moment would be turned away
    command.append("-r")  # keys do not repeat: on a busy machine xdotool lets go of them late
    process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        process.terminate()
        process.wait(10)
