"""The real program on a real X server, driven from outside as a person would: keys, close, Ctrl-C."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from tests.ui.fakes import near
from tests.ui.program import STAGE, Start, has_card, is_picture, needs_hands, offers_retry, overlay_pixels, shows_a_face
from ui import theme

pytestmark = needs_hands


def lists_a_face(image: np.ndarray) -> bool:
    """Whether the page of faces has a row with the colour of the first track, beside a picture without a card."""
    row = near(image[90:660, 900:1180], theme.track_color(1).getRgb()[:3], 6)
    return is_picture(image) and not has_card(image[:, :880]) and bool(row.sum() > 50)


def shows_the_page_alone(image: np.ndarray) -> bool:
    """Whether the face is in its row, and nothing of it on the picture."""
    return lists_a_face(image) and overlay_pixels(image[:, :880]) < 200  # left of the inspector


def test_the_demo_shows_followed_faces_and_obeys_the_keys(start: Start, tmp_path: Path) -> None:
    program = start("demo", "--jsonl", "faces.jsonl")
    first = program.wait_until(shows_a_face, "a face with its box")
    program.wait_until(lambda image: np.abs(image[STAGE].astype(int) - first[STAGE]).mean() > 3, "the picture moving")
    program.press("b", "l", "p", "n")
    program.wait_until(lambda image: is_picture(image) and overlay_pixels(image) < 200, "the picture without overlays")
    program.press("b")
    program.wait_until(lambda image: overlay_pixels(image) > 500, "the box again")
    program.press("ctrl+Return")
    stopped = program.wait_until(has_card, "the card that says it is stopped")
    assert stopped[STAGE].mean() < first[STAGE].mean()
    program.press("ctrl+Return")
    program.wait_until(lambda image: is_picture(image) and not has_card(image), "the picture again")
    program.press("ctrl+q")
    program.leave(0)
    for name in ("faces.jsonl", "faces-2.jsonl"):  # starting again overwrites nothing
        lines = (tmp_path / name).read_text().splitlines()
        assert [json.loads(line)["frame"] for line in lines] == list(range(len(lines)))
        assert lines


def test_what_was_chosen_is_there_again_at_the_next_start(start: Start, tmp_path: Path) -> None:
    program = start("demo")
    program.wait_until(shows_a_face, "a face with its box")
    program.press("b", "l", "p", "n", "m", "alt+2")
    program.wait_until(shows_the_page_alone, "the face in its row, and no overlay")
    program.process.send_signal(signal.SIGINT)  # Ctrl-C on the terminal
    assert program.leave(130) == ""
    program = start("demo")
    image = program.wait_until(shows_the_page_alone, "the face in its row, and no overlay")
    assert not near(image[300:600, 1000:1100], theme.DARK.stage.getRgb()[:3], 2).all()
    program.press("ctrl+q")
    program.leave(0)
    text = program.settings.read_text()
    assert {"box=false", "page=faces", "mirror_others=true"} <= set(text.split())


def test_a_damaged_settings_file_is_set_aside_and_a_missing_video_can_be_retried(
    start: Start, tmp_path: Path, astronaut: np.ndarray
) -> None:
    settings = tmp_path / "config" / "facestream" / "window.ini"
    settings.parent.mkdir(parents=True)
    settings.write_bytes(b"\x00\x01 rubbish \xff")
    program = start("later.mp4")
    program.wait_until(offers_retry, "the card with the sentence and Retry")
    write_clip(tmp_path / "later.mp4", astronaut)
    program.press("space")  # Retry has the keyboard
    program.wait_until(is_picture, "the picture after Retry")
    program.press("ctrl+q")
    program.leave(0)
    assert settings.with_name("window.ini.broken").read_bytes().startswith(b"\x00\x01")
    assert "[window]" in settings.read_text()


def test_a_single_picture_stays_on_show_with_its_face(start: Start, tmp_path: Path, astronaut: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), astronaut)
    program = start("photo.png")
    program.wait_until(shows_a_face, "the face drawn over the picture")
    time.sleep(0.5)
    assert shows_a_face(program.look())
    program.process.send_signal(signal.SIGTERM)
    assert program.leave(130) == ""


def test_a_failed_source_is_told_on_the_terminal_too(start: Start) -> None:
    program = start("nowhere.mp4")
    program.wait_until(offers_retry, "the card with the sentence and Retry")
    program.press("ctrl+q")
    errors = program.leave(3)
    assert "nowhere.mp4" in errors
    assert "Traceback" not in errors


def test_a_hanging_server_freezes_nothing(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # accepts, and never answers
        program = start(f"http://127.0.0.1:{server.getsockname()[1]}/live", "--set", "source.connect_timeout=60")
        before = program.wait_until(has_card, "the card that says it is connecting")
        program.press("ctrl+i")
        right = (slice(80, 680), slice(1110, 1180))
        program.wait_until(lambda image: bool((image[right] != before[right]).any()), "the inspector opening")
        program.press("ctrl+q")
        program.leave(0)


def test_the_window_closes_by_itself_after_the_frames_asked_for(start: Start, tmp_path: Path) -> None:
    program = start("demo", "--max-frames", "5", "--jsonl", str(tmp_path / "faces.jsonl"))
    program.leave(0)
    assert len((tmp_path / "faces.jsonl").read_text().splitlines()) == 5


def test_a_dead_display_ends_in_a_sentence(start: Start) -> None:
    errors = start("demo", display=":4711").leave(7)
    assert "the display :4711 cannot be reached" in errors
    assert "--headless" in errors
    assert "Traceback" not in errors


def test_nothing_heavy_is_loaded_before_the_window() -> None:
    code = "import sys, streamer.cli, ui.app, ui.main_window, ui.session; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "rich", "cv2", "onnxruntime", "av", "torch", "scipy", "skimage", "filterpy"} & set(loaded)


def write_clip(path: Path, image: np.ndarray) -> None:
    """Ten seconds of one photograph."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, (512, 288))
    for _ in range(250):
        writer.write(image[:288])
    writer.release()
