"""What effects cost beside what people write by hand: one bilateral filter over the face, on the same pictures.

Everything runs in one process with one OpenCV thread, as the product does. In each round every picture is filtered,
copied and given every effect in turn, so that whatever else the machine does hits all alike; ratios are medians of
pairs from one picture and round. Times are the thread's processor time, which other programs cannot lengthen much, and
without the copy that :meth:`streamer.effects.Effects.apply` makes of the frame, which is a row of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from benchmarks.media import FPS, Media, decode
from benchmarks.report import console, make_table, verdict
from streamer import FaceAnalyzer, load_config
from streamer.effects import Effects
from streamer.effects.base import Phase
from streamer.effects.presets import BUILT_IN
from streamer.effects.registry import all_effects
from streamer.evaluation.effects import measure_looks
from streamer.runtime.memory import keep_freed_memory
from streamer.types import Face, Image

BEAUTY_TARGET, SKIN_TARGET, FRAME_TARGET = 0.6, 0.25, 1.2
BEAUTY = ("skin", "tone", "big_eyes", "slim", "lipstick", "blush")
FACE_HEIGHT, FRAME, LARGE_FRAME = 300, (1280, 720), (1920, 1080)
AROUND = 1.2  # side of what the bilateral filter covers, in sides of the face's box
PICTURES, EVERY, ROUNDS = 8, 12, 7
_NOBODY = Effects([all_effects()["tone"]()])

Work = Callable[["Picture"], Image]


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame with one face."""

    image: Image
    face: Face

    def placed(self, face_height: float, frame: tuple[int, int]) -> Picture:
        """The same face with this height in pixels, in the middle of a frame of this width and height."""
        x1, y1, x2, y2 = self.face.box.tolist()
        scale = face_height / (y2 - y1)
        middle = np.array(((x1 + x2) / 2, (y1 + y2) / 2))
        matrix = np.hstack([np.eye(2) * scale, (np.array(frame) / 2 - middle * scale)[:, None]])
        image = cv2.warpAffine(self.image, matrix, frame, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        points, corners = (
            cv2.transform(each.reshape(1, -1, 2), matrix)[0].astype(np.float32)
            for each in (self.face.landmarks, self.face.box)
        )
        return Picture(np.asarray(image, np.uint8), replace(self.face, landmarks=points, box=corners.reshape(4)))


def measure(media: Media, folder: Path) -> None:
    """Print the tables."""
    keep_freed_memory()  # as `facestream run` does
    threads = cv2.getNumThreads()
    pictures = [picture.placed(FACE_HEIGHT, FRAME) for picture in _pictures(media)]
    cv2.setNumThreads(1)
    try:
        _show_costs(pictures)
        _show_growth(pictures)
        _show_looks(pictures)
    finally:
        cv2.setNumThreads(threads)


def bilateral(picture: Picture) -> Image:
    """The unit: ``cv2.bilateralFilter(d=9, 75, 75)`` over the face's box x 1.2, as people write it by hand."""
    return np.asarray(cv2.bilateralFilter(picture.image[_around(picture.face)], 9, 75, 75), np.uint8)


def _around(face: Face) -> tuple[slice, slice]:
    x1, y1, x2, y2 = face.box.tolist()
    dx, dy = (x2 - x1) * (AROUND - 1) / 2, (y2 - y1) * (AROUND - 1) / 2
    return slice(max(0, round(y1 - dy)), round(y2 + dy)), slice(max(0, round(x1 - dx)), round(x2 + dx))


def _pictures(media: Media) -> list[Picture]:
    """Frames of the real clip with the faces that are followed in it, else the photograph of the demo."""
    analyzer = FaceAnalyzer(load_config())
    if media.note:
        path = str(resources.files("skimage") / "data" / "astronaut.png")
        image = np.asarray(cv2.imread(path), np.uint8)
        return [Picture(image, analyzer.analyze(image)[0])]
    found = []
    for index, image in enumerate(islice(decode(media.clip), (PICTURES + 1) * EVERY)):
        faces = analyzer.track(image, index / FPS)
        if faces and index % EVERY == 0:
            found.append(Picture(image, faces[0]))
    return found


def _times(pictures: Sequence[Picture], work: Mapping[str, Work]) -> dict[str, np.ndarray]:
    """Milliseconds ``(rounds x pictures,)`` of each piece of work, all of them in turn on each picture."""
    times: dict[str, list[float]] = {name: [] for name in work}
    tasks = list(work.items())
    for number in range(ROUNDS + 1):
        for picture in pictures:
            for name, do in tasks[number % len(tasks) :] + tasks[: number % len(tasks)]:
                began = time.thread_time()
                do(picture)
                if number:  # the first round fills caches and draws artwork
                    times[name].append((time.thread_time() - began) * 1e3)
    return {name: np.array(values) for name, values in times.items()}


def _applied(effects: Effects) -> Work:
    if any(effect.phase is Phase.SWAP for effect in effects.effects):
        return lambda picture: effects.apply(picture.image, (picture.face, _neighbour(picture.face)))
    return lambda picture: effects.apply(picture.image, (picture.face,))


def _copied(picture: Picture) -> Image:
    """All that ``apply`` does to a picture in which nobody is."""
    return _NOBODY.apply(picture.image, ())


def _neighbour(face: Face) -> Face:
    """A second face beside the first: a swap needs two."""
    right = np.array((1.3 * (face.box[2] - face.box[0]), 0), np.float32)
    return replace(face, landmarks=face.landmarks + right, box=face.box + np.tile(right, 2))


def _beauty() -> Effects:
    return Effects(all_effects()[name]() for name in BEAUTY)


def _show_costs(pictures: Sequence[Picture]) -> None:
    single = {name: Effects([kind()]) for name, kind in all_effects().items()}
    presets = {path.stem: Effects.from_preset(path) for path in sorted(BUILT_IN.glob("*.yaml"))}
    groups = {"": single, "preset ": presets, "together: ": {" + ".join(BEAUTY): _beauty()}}
    chains = {prefix + name: chain for prefix, group in groups.items() for name, chain in group.items()}
    work: dict[str, Work] = {"unit": bilateral, "copy": _copied}
    times = _times(pictures, work | {name: _applied(chain) for name, chain in chains.items()})
    unit, copy = times["unit"], times["copy"]
    table = make_table(
        f"Effects at their default strengths: one face {FACE_HEIGHT} px high at {FRAME[0]}x{FRAME[1]}",
        "",
        "ms, p50",
        "x the unit",
    )
    table.add_row("unit: cv2.bilateralFilter(9, 75, 75) over the face x 1.2", f"{np.median(unit):.2f}", "1")
    table.add_row("no face in the frame: its copy; not in what follows", f"{np.median(copy):.2f}", _ratio(copy, unit))
    table.add_section()
    for name in chains:
        own = times[name] - copy
        two = " (two faces)" if any(effect.phase is Phase.SWAP for effect in chains[name].effects) else ""
        table.add_row(name + two, f"{np.median(own):.2f}", _ratio(own, unit))
    console.print(table)
    beauty = "together: " + " + ".join(BEAUTY)
    for what, name, target in (("beauty", beauty, BEAUTY_TARGET), ("skin smoothing", "skin", SKIN_TARGET)):
        share = float(np.median((times[name] - copy) / unit))
        console.print(f"{what}, x the unit: {verdict(share, target)}; with the copy {_ratio(times[name], unit)}")


def _show_growth(pictures: Sequence[Picture]) -> None:
    """Cost against the face's area and against the frame's; sizes take turns, too."""
    sizes = ((150, FRAME), (FACE_HEIGHT, FRAME), (600, FRAME), (FACE_HEIGHT, LARGE_FRAME))
    sized = [[picture.placed(height, frame) for picture in pictures[:3]] for height, frame in sizes]
    work: dict[str, Work] = {"unit": bilateral, "copy": _copied}
    times = _times([picture for row in sized for picture in row], work | {"beauty": _applied(_beauty())})
    shape = ROUNDS, len(sizes), -1
    unit, copy, beauty = (times[name].reshape(shape).swapaxes(0, 1) for name in ("unit", "copy", "beauty"))
    table = make_table(
        "Growth of skin + tone + eyes + slim + lips + blush", "face, frame", "ms", "ns a pixel", "x unit"
    )
    for row, (height, frame) in enumerate(sizes):
        own = beauty[row] - copy[row]
        area = float(np.mean([np.prod(picture.face.box[2:] - picture.face.box[:2]) for picture in sized[row]]))
        figures = f"{np.median(own):.2f}", f"{np.median(own) * 1e6 / area:.0f}", _ratio(own, unit[row])
        table.add_row(f"{height} px, {frame[0]}x{frame[1]}", *figures)
    console.print(table)
    growth = float(np.median((beauty[3] - copy[3]) / (beauty[1] - copy[1])))
    console.print(f"the same face in {LARGE_FRAME[0]}x{LARGE_FRAME[1]}, x its cost: {verdict(growth, FRAME_TARGET)}")


def _show_looks(pictures: Sequence[Picture]) -> None:
    """Texture and edges that skin smoothing leaves, beside the bilateral filter's."""
    skin = all_effects()["skin"]
    rows: dict[str, Work] = {"unit: the bilateral filter": _filtered}
    rows |= {f"skin {strength:g}": _applied(Effects([skin(strength=strength)])) for strength in (0.35, 0.6, 1.0)}
    table = make_table("Skin: what is left, percent", "", "texture of the skin", "edges of eyes, lips, brows")
    for name, do in rows.items():
        found = [measure_looks(picture.image, do(picture), picture.face) for picture in pictures]
        looks = [each for each in found if each is not None]
        texture, edges = (
            100 * np.mean([pair[1] for pair in pairs]) / np.mean([pair[0] for pair in pairs])
            for pairs in ([each.texture for each in looks], [each.edges for each in looks])
        )
        table.add_row(name, f"{texture:.0f}", f"{edges:.0f}")
    console.print(table)


def _filtered(picture: Picture) -> Image:
    """The picture with the unit carried out in it."""
    image = picture.image.copy()
    image[_around(picture.face)] = bilateral(picture)
    return image


def _ratio(times: np.ndarray, unit: np.ndarray) -> str:
    return f"{np.median(times / unit):.2f}"
