"""Which input size and score a detector should have: accuracy and time over the sizes, as tables.

Run ``python benchmarks/detector_size.py [--detector NAME] [--data FOLDER]``. It measures on the annotated
photographs of ``detection/images.tar`` that are not held out, for what chooses cannot measure (faces of which the
shorter side is under 16 px are ignored, as WIDER FACE's protocol ignores its smallest), and on frames of the clips,
which have no annotation: there, the share of 1024-px detections found again. False faces are counted on a clip
without any face.
"""

from __future__ import annotations

import argparse
import json
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from streamer.detectors import DETECTORS, Detector, load_detector
from streamer.detectors.postprocess import overlap
from streamer.evaluation.detection_data import held_out
from streamer.types import Detections, FloatArray, Image

SIDES = (256, 320, 384, 448, 512, 640, 800, 1024)
SCORES = (0.5, 0.6, 0.7, 0.8, 0.9)
SMALLEST = 16
"""Shorter side in pixels under which an annotated face is ignored."""


def photographs(folder: Path, every: int) -> Iterator[tuple[Image, FloatArray]]:
    """Every n-th annotated photograph that is not held out, with its boxes ``(n, 4)``."""
    annotations = json.loads((folder / "annotations.json").read_text())
    with tarfile.open(folder / "images.tar") as tar:
        for entry in [entry for entry in annotations if not held_out(entry["file"])][::every]:
            file = tar.extractfile(entry["file"])
            assert file is not None
            image = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
            boxes = np.array([face["box"] for face in entry["faces"]], np.float32).reshape(-1, 4)
            yield np.asarray(image, np.uint8), boxes


def frames(clip: Path, count: int) -> list[Image]:
    """So many frames, spread over a clip."""
    with av.open(str(clip)) as container:
        pictures = [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in container.decode(video=0)]
    return pictures[:: max(1, len(pictures) // count)][:count]


def match(found: Detections, truth: FloatArray) -> tuple[list[tuple[float, bool]], int]:
    """Score and rightness of each detection at IoU 0.5, and how many faces there were to find."""
    sides = (truth[:, 2:] - truth[:, :2]).min(axis=1, initial=np.inf)
    free = np.ones(len(truth), bool)
    results = []
    for box, score in zip(found.boxes, found.scores, strict=True):
        overlaps = overlap(box, truth) * free if len(truth) else np.zeros(1)
        best = int(overlaps.argmax())
        if overlaps[best] < 0.5:
            results.append((float(score), False))
            continue
        free[best] = False
        if sides[best] >= SMALLEST:
            results.append((float(score), True))
    return results, int((sides >= SMALLEST).sum()) if len(truth) else 0


def average_precision(results: list[tuple[float, bool]], total: int) -> float:
    """Area under the precision-recall curve, precision made monotone."""
    right = np.array([hit for _, hit in sorted(results, reverse=True)], float)
    precision = right.cumsum() / np.arange(1, len(right) + 1)
    smooth = np.maximum.accumulate(precision[::-1])[::-1]
    return float((smooth * right).sum() / max(total, 1))


def milliseconds(detector: Detector, image: Image, repeats: int = 15) -> float:
    """Least time of one detection; others share the machine."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        detector.detect(image)
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detector", default="retinaface", choices=list(DETECTORS))
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--every", type=int, default=4, help="use every n-th photograph")
    options = parser.parse_args()
    photos = list(photographs(options.data / "detection", options.every))
    clips = sorted(path for path in (options.data / "clips").iterdir() if path.suffix != ".json")
    stills = [frame for clip in clips if clip.name != "no_face.mp4" for frame in frames(clip, 6)]
    empty = frames(options.data / "clips" / "no_face.mp4", 24)
    largest = load_detector(options.detector, max_side=1024, score=0.9)
    reference = [largest.detect(image).boxes for image in stills]
    wide = np.ascontiguousarray(np.resize(photos[0][0], (720, 1280, 3)))

    print(f"{len(photos)} photographs, {len(stills)} frames of clips, {len(empty)} frames without faces\n")
    print("| max_side | AP@0.5 photos | recall clips | false, no_face | ms on 16:9 |\n|---|---|---|---|---|")
    for side in SIDES:
        detector = load_detector(options.detector, max_side=side, score=0.05)
        matched = [match(detector.detect(image), truth) for image, truth in photos]
        precision = average_precision([r for rs, _ in matched for r in rs], sum(n for _, n in matched))
        detector = load_detector(options.detector, max_side=side)
        again = [match(detector.detect(i), truth) for i, truth in zip(stills, reference, strict=True)]
        recall = sum(hit for rs, _ in again for _, hit in rs) / max(1, sum(n for _, n in again))
        false = sum(len(detector.detect(image)) for image in empty)
        print(f"| {side} | {precision:.3f} | {recall:.3f} | {false} | {milliseconds(detector, wide):.1f} |", flush=True)

    print("\n| score (640 px) | precision photos | recall photos | false, no_face |\n|---|---|---|---|")
    for score in SCORES:
        detector = load_detector(options.detector, max_side=640, score=score)
        matched = [match(detector.detect(image), truth) for image, truth in photos]
        hits = [hit for rs, _ in matched for _, hit in rs]
        total = sum(n for _, n in matched)
        false = sum(len(detector.detect(image)) for image in empty)
        print(f"| {score} | {np.mean(hits):.3f} | {sum(hits) / total:.3f} | {false} |", flush=True)


if __name__ == "__main__":
    main()
