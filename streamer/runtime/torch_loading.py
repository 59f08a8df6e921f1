"""Loads torch's libraries without holding up other Python threads."""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import sys
from pathlib import Path
from typing import Final

_LIBRARIES: Final = ("libtorch_global_deps.so", "libtorch_cpu.so", "libtorch_python.so")

log = logging.getLogger(__name__)


def load_torch_libraries() -> None:
    """Read torch's libraries ahead of ``import torch``, which would stop every other thread for 0.7 s meanwhile.

    ``import`` holds Python's lock while the system loads a library; a call through ctypes does not. A window
    goes on painting then. Where a library is not as expected, ``import torch`` still does it all.
    """
    spec = None if "torch" in sys.modules else importlib.util.find_spec("torch")
    if spec is None or spec.origin is None or not sys.platform.startswith("linux"):
        return
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype, dlopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
    for name in _LIBRARIES:
        path = Path(spec.origin).parent / "lib" / name
        scope = os.RTLD_GLOBAL if name == _LIBRARIES[0] else 0  # as torch itself does
        if not dlopen(bytes(path), os.RTLD_NOW | scope):
            log.debug("%s is left to import torch", path)
            return
