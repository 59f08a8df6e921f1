"""Our side of the comparison: a process that tracks the frames it is told to and answers with its times.

Usage: worker_facestream.py FRAMES.npy. Reads ``first last`` lines, answers each with one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from streamer import FaceAnalyzer, load_config

frames = np.load(sys.argv[1], mmap_mode="r")
analyzer = FaceAnalyzer(load_config())
for line in sys.stdin:
    first, last = map(int, line.split())
    wall, cpu, faces, detected = [], [], [], []
    for index in range(first, last):
        image = np.array(frames[index % len(frames)])
        started, spent = time.perf_counter(), time.process_time()
        found = analyzer.track(image, index / 30)
        cpu.append((time.process_time() - spent) * 1e3)
        wall.append((time.perf_counter() - started) * 1e3)
        faces.append(len(found))
        detected.append("detect" in analyzer.stages)
    print(json.dumps({"wall": wall, "cpu": cpu, "faces": faces, "detected": detected}), flush=True)
