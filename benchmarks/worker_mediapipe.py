"""The peer's side of the comparison: MediaPipe face mesh, in its own environment (it wants numpy below 2).

Usage: worker_mediapipe.py FRAMES.npy MAX_FACES. Reads ``first last`` lines, answers each with one line of JSON.
The conversion to RGB, which it needs and we do not, stays outside the measured time.
"""

from __future__ import annotations

import json
import sys
import time

import cv2
import mediapipe as mp
import numpy as np

frames = np.load(sys.argv[1], mmap_mode="r")
mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=False, max_num_faces=int(sys.argv[2]), refine_landmarks=False)
for line in sys.stdin:
    first, last = map(int, line.split())
    wall, cpu, faces = [], [], []
    for index in range(first, last):
        image = cv2.cvtColor(np.array(frames[index % len(frames)]), cv2.COLOR_BGR2RGB)
        image.flags.writeable = False
        started, spent = time.perf_counter(), time.process_time()
        found = mesh.process(image).multi_face_landmarks or ()
        cpu.append((time.process_time() - spent) * 1e3)
        wall.append((time.perf_counter() - started) * 1e3)
        faces.append(len(found))
    print(json.dumps({"wall": wall, "cpu": cpu, "faces": faces, "detected": [False] * len(faces)}), flush=True)
