"""Measures speed and prints tables: ``make bench``, or ``python -m benchmarks NAME…`` for some of them."""

from __future__ import annotations

import argparse
import importlib
import os
import tempfile
from pathlib import Path

from benchmarks.media import find_media
from benchmarks.report import console, print_machine

MEASUREMENTS = {
    "stages": "milliseconds per stage",
    "runtimes": "each network on ONNX Runtime, OpenVINO and torch; whole detections",
    "peer": "tracking beside MediaPipe face mesh",
    "throughput": "a file to JSON lines beside decoding alone: wall time and processor time",
    "startup": "from the command to the first frame and to the window",
    "paint": "the window: composing, painting, pauses of its thread, analysis beside headless",
    "effects": "each effect and the presets beside one bilateral filter over the face",
    "training": "crops a second that training learns from, beside a plain PyTorch step",
    "memory": "resident memory over 9600 frames",
    "window_memory": "resident memory of the window over 20 minutes; only when named",
}
LONG = {"window_memory"}


def main() -> None:
    """Run the measurements named on the command line, or all."""
    names = "\n".join(f"  {name:<14}{what}" for name, what in MEASUREMENTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"{__doc__}\n\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="measurements; none = all but the long one")
    chosen = parser.parse_args().names or [name for name in MEASUREMENTS if name not in LONG]
    if unknown := set(chosen) - set(MEASUREMENTS):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}; there are: {', '.join(MEASUREMENTS)}")
    print_machine()
    with tempfile.TemporaryDirectory(prefix="facestream-bench-") as folder:
        os.environ["XDG_CONFIG_HOME"] = folder  # what the developer saved as defaults must change no figure
        media = find_media(Path(folder))
        if media.note:
            console.print(f"[yellow]{media.note}[/yellow]", soft_wrap=True)
        for name in chosen:
            importlib.import_module(f"benchmarks.{name}").measure(media, Path(folder))


if __name__ == "__main__":
    main()
