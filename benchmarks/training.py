"""How many crops a second the training of TinyMog learns from: our step beside a plain PyTorch one.

Each line is a process of its own, for memory settings are the process's. Pictures and their labels are made before;
the losses are those of the training.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.media import Media
from benchmarks.processes import ROOT
from benchmarks.report import console, make_table

WAYS = {
    "plain": "a plain PyTorch step, two threads",
    "kept": "the same, its memory kept for the next step",
    "shared": "and a thread for each half of the batch, bfloat16 where the processor has it: `train detector`",
}
ROUNDS = 3


def measure(media: Media, folder: Path) -> None:
    """Print the table."""
    best = dict.fromkeys(WAYS, 0.0)
    for _ in range(ROUNDS):
        for way in WAYS:
            best[way] = max(best[way], _crops_per_second(way, media.clip))
    table = make_table(
        f"TinyMog, batches of 32 crops of 320x320, the best of {ROUNDS} interleaved rounds", "step", "crops/s", "ratio"
    )
    for way, name in WAYS.items():
        table.add_row(name, f"{best[way]:.0f}", f"{best[way] / best['plain']:.2f}")
    console.print(table)


def _crops_per_second(way: str, clip: Path) -> float:
    command = [sys.executable, "-m", "benchmarks.worker_training", way, str(clip.resolve())]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
