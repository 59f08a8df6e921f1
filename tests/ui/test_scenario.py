"""One sitting of a person with the real program, from choosing a file to closing, and what is on the disk after it.

Every frame of the clip carries its number, so that the screen, snapshots and the recording tell which one they show.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import av
import cv2
import numpy as np
import pytest
import yaml
from PyQt5.QtCore import QPoint, QSettings

from tests.servers import http_server
from tests.ui.dragging import Drag
from tests.ui.fakes import near
from tests.ui.program import (
    PATIENCE,
    Program,
    Start,
    has_card,
    is_picture,
    needs_hands,
    offers_retry,
    overlay_pixels,
    shows_a_face,
)  # fmt: skip
from ui import theme

pytestmark = needs_hands

FRAMES, RATE = 250, 25
OVERLAYS = "b", "l", "p", "n"  # keys of those that are on at first
CELLS = 8  # of the number: one for each bit
FACE = 238, 140  # where the face is in frame 0; it goes to the right by a pixel in four frames
STAGE_HEIGHT = slice(71, 646)  # of the 1280x720 window, with the bar for playing


def numbered(photo: np.ndarray, number: int) -> np.ndarray:
    """A frame: BGR (360, 640, 3)."""
    frame = np.full((360, 640, 3), 120, np.uint8)
    left = 40 + number // 4
    frame[:300, left : left + 432] = cv2.resize(photo[:250, 60:420], (432, 300))
    for cell in range(CELLS):
        frame[324:, cell * 80 : cell * 80 + 80] = 200 if number >> cell & 1 else 70
    return frame


def number_in(picture: np.ndarray) -> int:
    """Which frame a whole picture of any size is."""
    height, width = picture.shape[:2]
    row = int(0.95 * height)
    columns = [int((cell + 0.5) * width / CELLS) for cell in range(CELLS)]
    return sum((picture[row - 2 : row + 3, x - 2 : x + 3].mean() > 135) << cell for cell, x in enumerate(columns))


def stage_on(screen: np.ndarray) -> np.ndarray:
    """What lies left of the rail, with the inspector folded."""
    row = screen[600:601]
    rail = near(row, theme.DARK.surface.getRgb()[:3], 1) | near(row, theme.DARK.line.getRgb()[:3], 1)
    return screen[STAGE_HEIGHT, : np.flatnonzero(~rail[0])[-1] + 1]


def number_on(screen: np.ndarray) -> int:
    """Which frame the screen shows, fitted, with the inspector folded; -1 where there is no picture."""
    stage = stage_on(screen)
    columns = np.flatnonzero(~near(stage[300:], theme.DARK.stage.getRgb()[:3], 3).all(axis=0))
    if len(columns) < 900 or not is_picture(screen):
        return -1
    return number_in(stage[:, columns[0] : columns[-1] + 1])


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Likeness of two pictures in decibels."""
    return float(10 * np.log10(255**2 / max(np.square(one.astype(float) - other).mean(), 1e-9)))


def frame_of(clip: Path, number: int) -> np.ndarray:
    """A frame of the clip as FFmpeg decodes it, BGR."""
    video = cv2.VideoCapture(str(clip))
    for _ in range(number + 1):
        known, image = video.read()
        assert known
    video.release()
    return image


def first_field(screen: np.ndarray, *, number: bool) -> tuple[int, int]:
    """Where to click for the first list, or the first number, on the page that is open; (0, 0) while there is none."""
    raised = near(screen[:640], theme.DARK.raised.getRgb()[:3], 1)
    rail = np.flatnonzero(near(screen[600:601], theme.DARK.line.getRgb()[:3], 1)[0]).max(initial=200)
    left, middle, right = rail - 190, rail - 130, rail - 35
    rows = raised[:, right] & ~raised[:, left] if number else raised[:, left] & raised[:, middle]
    runs = np.flatnonzero(np.diff(np.concatenate([[False], rows, [False]]).astype(int))).reshape(-1, 2)
    middles = [int(run.mean()) for run in runs if run[0] > 80 and run[1] - run[0] >= 24]
    return (int(right if number else left), middles[0]) if middles else (0, 0)


class Sitting:
    """The program with the inspector folded, and a folder in which everything lies."""

    def __init__(self, program: Program, folder: Path, clip: Path) -> None:
        self.program, self.folder, self.clip = program, folder, clip
        self.kept = 0

    def see(self, seen: Callable[[np.ndarray], bool], what: str) -> np.ndarray:
        return self.program.wait_until(seen, what)

    def see_number(self, number: int) -> None:
        self.see(lambda image: number_on(image) == number, f"frame {number}")

    def still_number(self) -> int:
        """The number of the frame the picture stands still on."""
        seen = [-1, -2]

        def still(image: np.ndarray) -> bool:
            time.sleep(0.3)
            seen.append(number_on(image))
            return seen[-1] == seen[-2] >= 0

        self.see(still, "the picture standing still")
        return seen[-1]

    def at_rest(self) -> np.ndarray:
        """The screen once nothing on it moves any more."""
        looks = [self.program.look()]

        def rests(image: np.ndarray) -> bool:
            time.sleep(0.2)
            looks.append(image)
            return np.array_equal(looks[-1], looks[-2])

        return self.see(rests, "the picture at rest")

    def snapshot(self, key: str) -> np.ndarray:
        """Keep a picture, and read what was written: BGR."""
        self.program.press(key)
        self.kept += 1
        pictures: list[np.ndarray | None] = []

        def written(_: np.ndarray) -> bool:
            paths = sorted((self.folder / "out").glob("*.png"), key=lambda path: path.stat().st_mtime_ns)
            pictures.append(cv2.imread(str(paths[-1])) if len(paths) == self.kept else None)
            return pictures[-1] is not None

        self.see(written, "the snapshot")
        assert pictures[-1] is not None
        return pictures[-1]

    def choose_in(self, key: str, letter: str) -> None:
        """Open a page, choose in its first list what begins with a letter, and leave the page open."""
        self.program.press(key)
        screen = self.see(lambda image: first_field(image, number=False)[1] > 0, "the page with its list")
        self.program.click(*first_field(screen, number=False))
        below = slice(210, 640), slice(900, 1170)

        def is_open(image: np.ndarray) -> bool:
            return bool((image[below] != screen[below]).mean() > 0.02)

        self.see(is_open, "the list open")
        self.program.hand("key", letter, "Return")
        self.see(lambda image: not is_open(image), "the list closed")


@pytest.fixture
def sitting(start: Start, tmp_path: Path, astronaut: np.ndarray) -> Sitting:
    clip = tmp_path / "numbers.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "12", "g": "25"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(astronaut, number), format="bgr24")))
        container.mux(stream.encode(None))
    return Sitting(start("demo", "--set", f"output.folder={tmp_path / 'out'}"), tmp_path, clip)


def test_a_whole_sitting(sitting: Sitting, astronaut: np.ndarray) -> None:
    program = sitting.program
    sitting.see(shows_a_face, "the demo with a face")
    choose_the_file(sitting)
    hide_and_show_overlays(sitting)
    number = pause_step_and_seek(sitting)
    zoom_and_pan(sitting)
    keep_pictures(sitting, number)
    record(sitting)
    put_an_effect_on(sitting)
    change_the_detector(sitting)
    photo = drop_a_photo(sitting, astronaut)
    address = lose_the_source_and_retry(sitting, astronaut)
    program.press("ctrl+q")
    assert "Traceback" not in program.leave(0)
    remembered = QSettings(str(program.settings), QSettings.IniFormat)
    assert remembered.value("sources/recent") == [address, str(photo), str(sitting.clip)]
    assert remembered.value("inspector/page") == ""
    assert remembered.value("overlays/box") == "true"
    saved = yaml.safe_load((sitting.folder / "config" / "facestream" / "config.yaml").read_text())
    assert saved["detector"] == {"name": "tinymog", "max_side": 384}


def choose_the_file(sitting: Sitting) -> None:
    before = sitting.program.look()
    sitting.program.press("ctrl+l")
    sitting.see(lambda image: bool((image[76:110, 30:300] != before[76:110, 30:300]).any()), "the menu")
    sitting.program.hand("key", "Up", "Up", "Up", "Return")  # above the address and the folder
    sitting.program.answer("Open a video or picture", str(sitting.clip))
    sitting.see(lambda image: number_on(image) > 0 and shows_a_face(image), "the file with a face")


def hide_and_show_overlays(sitting: Sitting) -> None:
    sitting.program.press(*OVERLAYS)
    sitting.see(lambda image: is_picture(image) and overlay_pixels(image) < 50, "the picture without overlays")
    sitting.program.press(*OVERLAYS)
    sitting.see(shows_a_face, "the overlays again")


def pause_step_and_seek(sitting: Sitting) -> int:
    program = sitting.program
    program.press("comma")  # a step pauses: no picture from before can be taken for one from after Home
    program.press("Home")
    sitting.see_number(0)
    program.press("space")
    sitting.see(lambda image: 5 <= number_on(image) < 100, "the beginning")
    program.press("space")
    number = sitting.still_number()
    program.press("period")
    sitting.see_number(number + 1)
    program.press("comma", "comma")
    sitting.see_number(number - 1)
    program.press("Right")
    sitting.see_number(number - 1 + 5 * RATE)
    program.press("Left")
    sitting.see_number(number - 1)
    return number - 1


def zoom_and_pan(sitting: Sitting) -> None:
    """Look closer with the wheel, push the picture aside, and keep just that."""
    before = sitting.program.look()
    sitting.program.hand("mousemove", "500", "300", "click", "--repeat", "4", "4")
    zoomed = sitting.see(lambda image: image[640, 60].sum() != before[640, 60].sum(), "a larger picture")
    sitting.program.hand("mousedown", "1", "mousemove", "520", "320", "mousemove", "600", "380", "mouseup", "1")
    sitting.see(lambda image: bool((image[STAGE_HEIGHT] != zoomed[STAGE_HEIGHT]).mean() > 0.3), "the picture moved")
    sitting.program.hand("mousemove", "1240", "500")
    seen = stage_on(sitting.at_rest())
    kept = sitting.snapshot("ctrl+s")[:, :, ::-1]
    assert kept.shape == seen.shape
    assert psnr(kept, seen) > 40
    sitting.program.press("ctrl+0")
    sitting.see(lambda image: number_on(image) == number_on(before), "the whole picture")


def keep_pictures(sitting: Sitting, number: int) -> None:
    plain, drawn = sitting.snapshot("shift+s"), sitting.snapshot("s")
    assert number_in(plain) == number_in(drawn) == number
    assert psnr(plain, frame_of(sitting.clip, number)) > 40
    assert psnr(drawn, plain) < 30  # at its face
    assert psnr(drawn[:, :80], plain[:, :80]) > 60  # and nowhere else


def record(sitting: Sitting) -> None:
    """Record from the first frame on; every frame that was written stands at its time."""
    sitting.program.press("Home")
    sitting.see_number(0)
    sitting.program.press("ctrl+r", "space")
    sitting.see(lambda image: number_on(image) > RATE, "a second played")
    sitting.program.press("ctrl+r")
    times: list[float] = []
    numbers: list[int] = []

    def complete(_: np.ndarray) -> bool:
        times.clear()
        numbers.clear()
        try:
            (path,) = (sitting.folder / "out").glob("*.mp4")
            with av.open(str(path)) as container:
                for frame in container.decode(video=0):
                    times.append(frame.time)
                    numbers.append(number_in(frame.to_ndarray(format="bgr24")))
        except (ValueError, av.FFmpegError):
            return False  # not there yet, or without its end
        return len(times) > 0

    sitting.see(complete, "the recording")
    assert numbers[-1] > RATE
    assert numbers == sorted(set(numbers))  # none twice, none out of order
    shown = numbers[1:], times[1:]  # the first stands for the time the picture was still
    assert np.ptp(np.array(shown[0]) / RATE - shown[1]) < 1.5 / RATE


def put_an_effect_on(sitting: Sitting) -> None:
    """Cover the face, keep that, and take it back."""
    sitting.program.press("space", *OVERLAYS)  # whose colours depend on how often the face was lost
    number = sitting.still_number()
    before = sitting.snapshot("shift+s")
    screen = sitting.at_rest()
    sitting.choose_in("alt+3", "p")
    sitting.program.press("alt+3")
    height, width = stage_on(screen).shape[:2]
    scale = height / 360
    x = int((width - scale * 640) / 2 + scale * (FACE[0] + number / 4))
    y = int(STAGE_HEIGHT.start + scale * FACE[1])
    face = slice(y - 20, y + 20), slice(x - 20, x + 20)
    sitting.see(lambda image: number_on(image) == number and psnr(image[face], screen[face]) < 25, "the face covered")
    after = sitting.snapshot("shift+s")
    assert number_in(after) == number
    changed = np.abs(after.astype(int) - before).max(axis=2) > 12
    left, top = int(FACE[0] + number / 4) - 30, FACE[1] - 30
    assert changed[top : top + 60, left : left + 60].mean() > 0.6  # cells may have the colour of what they hide
    # Nowhere else; but what is around the face may be covered, too, for it may be part of another one.
    assert psnr(after[:, -80:], before[:, -80:]) > 60
    sitting.program.press("ctrl+z")
    sitting.see(lambda image: psnr(image[face], screen[face]) > 40, "the face again")
    sitting.program.press(*OVERLAYS)


def change_the_detector(sitting: Sitting) -> None:
    """Another network, a smaller input, and both as the defaults from now on."""
    program, saved = sitting.program, sitting.folder / "config" / "facestream" / "config.yaml"
    sitting.choose_in("alt+5", "t")
    screen = sitting.see(lambda image: first_field(image, number=True)[1] > 0, "the page again")
    program.click(*first_field(screen, number=True))
    program.hand("key", "ctrl+a", "type", "384")
    program.hand("key", "Return")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and not (saved.exists() and "384" in saved.read_text()):
        program.press("alt+t", "Down", "Return")  # the menu's second line
        time.sleep(0.5)
    program.press("alt+5")
    sitting.see(lambda image: number_on(image) >= 0, "the page closed")


def drop_a_photo(sitting: Sitting, photo: np.ndarray) -> Path:
    path = sitting.folder / "my photo ü.png"
    cv2.imwrite(str(path), photo)

    def wait(seen: Callable[[], bool]) -> None:
        sitting.see(lambda _: seen(), "the drag")

    drag = Drag(sitting.folder / "drag.log", wait, QPoint(600, 350), "uris", str(path))
    try:
        drag.hover()
        drag.drop()
        margin = slice(200, 600), slice(100, 250)
        stage = theme.DARK.stage.getRgb()[:3]
        sitting.see(lambda image: shows_a_face(image) and bool(near(image[margin], stage, 3).all()), "the square photo")
    finally:
        drag.close()
    return path


def lose_the_source_and_retry(sitting: Sitting, photo: np.ndarray) -> str:
    """Watch a camera whose server goes away, and comes back."""
    jpegs = [cv2.imencode(".jpg", numbered(photo, number))[1].tobytes() for number in range(50)]
    program = sitting.program
    with ExitStack() as server:
        address = server.enter_context(http_server(sitting.clip, jpegs)) + "/mjpeg"
        program.press("ctrl+u")
        program.answer("Open address", address)
        sitting.see(lambda image: number_on(image) >= 0 and shows_a_face(image), "the camera with a face")
    sitting.see(offers_retry, "that it is lost, and Retry")
    with http_server(sitting.clip, jpegs, port=urlsplit(address).port or 0):
        program.press("space")  # Retry has the keyboard
        sitting.see(lambda image: number_on(image) >= 0 and shows_a_face(image), "the camera again")
        program.press("ctrl+Return")  # before the server goes: a window closed on a lost source tells of it
        sitting.see(has_card, "the camera stopped")
    return address
