"""The command as a user types it: real processes, real files, exit statuses, and no traceback."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

ASTRONAUT = resources.files("skimage") / "data" / "astronaut.png"


def facestream(*arguments: str | Path, cwd: Path, timeout: float = 90) -> subprocess.CompletedProcess[str]:
    """Run the command in an empty folder without a display."""
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "streamer", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout)
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done


def read_jsonl(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_version_and_help(tmp_path: Path) -> None:
    assert facestream("--version", cwd=tmp_path).stdout.startswith("facestream 0.")
    overview = facestream("--help", cwd=tmp_path).stdout
    for command in ("run", "image", "sources", "evaluate"):
        assert command in overview
    options = facestream("run", "--help", cwd=tmp_path).stdout
    for option in ("--headless", "--jsonl", "--record", "--max-frames", "--pace", "--config", "--set", "--stats"):
        assert option in options


def test_the_demo_runs_without_a_display_and_writes_its_two_files(tmp_path: Path) -> None:
    done = facestream("run", "--max-frames", "60", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "No display" in done.stderr
    for word in ("frames per second", "detect (ms)", "landmark (ms)", "p95", "dropped", "tracks"):
        assert word in done.stdout
    lines = read_jsonl(tmp_path / "out" / "demo.jsonl")
    assert [line["frame"] for line in lines] == list(range(60))
    assert all(b["pts"] > a["pts"] for a, b in itertools.pairwise(lines))
    faces = lines[-1]["faces"]
    assert set(faces[0]) == {"track_id", "box", "score", "keypoints", "landmarks", "pose", "identity"}
    assert np.shape(faces[0]["landmarks"]) == (106, 2)
    assert np.shape(faces[0]["keypoints"]) == (5, 2)
    assert set(faces[0]["pose"]) == {"pitch", "roll", "yaw"}
    with av.open(str(tmp_path / "out" / "demo.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 60


def test_ctrl_c_ends_cleanly_and_keeps_what_was_written(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "streamer",
        "run",
        "demo",
        "--headless",
        "--pace",
        "realtime",
        "--set",
        "source.loop=true",
    ]
    command += ["--jsonl", "faces.jsonl", "--record", "video.mp4"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not ((tmp_path / "faces.jsonl").exists() and read_size(tmp_path) > 20_000):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "frames per second" in out
    assert len(read_jsonl(tmp_path / "faces.jsonl")) > 5
    with av.open(str(tmp_path / "video.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) > 5


def test_a_run_that_fails_keeps_what_an_earlier_one_wrote(tmp_path: Path) -> None:
    (tmp_path / "old.jsonl").write_text("keep\n")
    assert facestream("run", "missing.mp4", "--headless", "--jsonl", "old.jsonl", cwd=tmp_path).returncode == 3
    assert (tmp_path / "old.jsonl").read_text() == "keep\n"


def read_size(folder: Path) -> int:
    return (folder / "faces.jsonl").stat().st_size


def test_image_prints_writes_json_and_draws(tmp_path: Path) -> None:
    done = facestream("image", str(ASTRONAUT), "--json", "faces.json", "--save", "drawn", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "astronaut.png" in done.stdout
    (record,) = json.loads((tmp_path / "faces.json").read_text())
    (face,) = record["faces"]
    assert (record["width"], record["height"]) == (512, 512)
    x1, y1, x2, y2 = face["box"]
    assert 150 < x1 < x2 < 300
    assert 40 < y1 < y2 < 240
    drawn = cv2.imread(str(tmp_path / "drawn" / "astronaut.png"))
    assert (drawn != cv2.imread(str(ASTRONAUT))).any(axis=2).sum() > 500


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda p: None, "There is no picture bad.png"),
        (lambda p: p.write_bytes(b""), "empty"),
        (lambda p: p.write_text("hello"), "no picture"),
        (lambda p: p.write_bytes(Path(str(ASTRONAUT)).read_bytes()[:60]), "damaged"),
        (lambda p: p.write_bytes(huge_png(20_000, 20_000)), "too large"),
    ],
)
def test_a_bad_picture_is_told_and_the_good_one_is_still_analysed(tmp_path: Path, make, sentence: str) -> None:
    make(tmp_path / "bad.png")
    done = facestream("image", "bad.png", str(ASTRONAUT), "--json", "faces.json", cwd=tmp_path)
    assert done.returncode == 3
    assert sentence in " ".join(done.stderr.split())
    assert len(json.loads((tmp_path / "faces.json").read_text())) == 1


def huge_png(width: int, height: int) -> bytes:
    """A PNG whose header claims this size; nothing of it may be decoded."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def test_a_picture_of_one_pixel_has_no_face(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "dot.png"), np.zeros((1, 1, 3), np.uint8))
    done = facestream("image", "dot.png", cwd=tmp_path)
    assert done.returncode == 0
    assert "none" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["run", "missing.mp4", "--headless"], 3, ["missing.mp4"]),
        (["run", "demo", "--headless", "--set", "detector.nam=x"], 2, ["detector.nam", "did you mean name"]),
        (["run", "demo", "--headless", "--set", "detector.score=7"], 2, ["detector.score", "7", "below 1"]),
        (["run", "demo", "--headless", "--pace", "slow"], 2, ["--pace is 'slow'", "realtime", "fastest"]),
        (["run", "demo", "--headless", "--config", "none.yaml"], 2, ["none.yaml"]),
        (["run", "demo", "--headless", "--set", "runtime.device=cuda"], 5, ["CUDA"]),
        (["run", "demo", "--headless", "--jsonl", "/proc/none/x.jsonl"], 6, ["/proc/none/x.jsonl"]),
        (["run", "demo", "--headless", "--record", "/proc/none/x.mp4"], 6, ["/proc/none/x.mp4"]),
        (["run", "demo", "--headless", "--set", "detector.name=retinaface_resnet50"], 4, ["Resnet50_Final.pth"]),
        (["run", "demo", "--headless", "--set", "landmarks.weights=none.pth"], 4, ["No weights file at none.pth"]),
        (["run", "demo", "--headless", "--set", "landmarks.weights=none.onnx"], 4, ["none.onnx"]),
        (
            ["run", "demo", "--headless", "--jsonl", "both", "--record", "both"],
            6,
            ["--jsonl and --record both name both"],
        ),
        (["run", str(ASTRONAUT), "--headless", "--record", str(ASTRONAUT)], 6, ["is the source itself"]),
        (["run", "demo", "--headless", "--record", "/dev/full"], 6, ["cannot record to /dev/full", "ordinary file"]),
        (["run", "demo", "--headless", "--record", "x.avi"], 6, ["x.avi", "name it x.mp4"]),
        (["run", "", "--headless"], 3, ["no file, folder or camera"]),
        (["run", "rtsp://cam:99999/live", "--headless"], 3, ["port 99999", "1 to 65535"]),
        (["run", "rtsp:///live", "--headless"], 3, ["names no host"]),
        (["run", "demo", "--headless", "--set", f"landmarks.weights={__file__}"], 4, ["no usable torch checkpoint"]),
        (["image", "/dev/null/x.png"], 3, ["/dev/null/x.png"]),
        (["run", "rtsp://bob:hunter2@127.0.0.1:9/live", "--headless"], 3, ["127.0.0.1"]),
    ],
)
def test_a_mistake_ends_in_one_sentence_and_a_status(
    tmp_path: Path, arguments: list[str], status: int, words: list[str]
) -> None:
    done = facestream(*arguments, cwd=tmp_path)
    told = " ".join(done.stderr.split())
    assert done.returncode == status, told
    for word in words:
        assert word in told
    assert "hunter2" not in done.stdout + done.stderr


def test_a_run_that_cannot_write_says_so_and_does_not_claim_it_wrote(tmp_path: Path) -> None:
    done = facestream("run", "demo", "--headless", "--max-frames", "20", "--jsonl", "/dev/full", cwd=tmp_path)
    assert done.returncode == 6
    assert "the disk is full" in done.stderr
    assert "wrote" not in done.stdout


def test_lines_on_the_terminal_are_not_mixed_with_the_summary(tmp_path: Path) -> None:
    done = facestream("run", "demo", "--headless", "--max-frames", "12", "--jsonl", "-", cwd=tmp_path)
    assert [json.loads(line)["frame"] for line in done.stdout.splitlines()] == list(range(12))
    assert "frames per second" in done.stderr


def test_a_single_picture_shows_its_face_at_once(tmp_path: Path) -> None:
    done = facestream("run", ASTRONAUT, "--headless", "--jsonl", "face.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = read_jsonl(tmp_path / "face.jsonl")
    assert len(line["faces"]) == 1
    assert line["faces"][0]["track_id"] is None


def test_a_file_that_ends_too_early_is_used_and_told(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mp4"
    image = cv2.resize(cv2.imread(str(ASTRONAUT)), (320, 320))
    with av.open(str(whole), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=30, options={"g": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 320, "yuv420p"
        for _ in range(120):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    data = whole.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) - (len(data) - data.index(b"mdat")) // 2])
    assert facestream("run", "whole.mp4", "--headless", cwd=tmp_path).returncode == 0
    done = facestream("run", "cut.mp4", "--headless", "--jsonl", "faces.jsonl", cwd=tmp_path)
    told = " ".join(done.stderr.split())
    assert done.returncode == 3
    assert "of 4.0 s: the rest is missing or damaged" in told
    assert "wrote" in done.stdout
    assert 10 < len(read_jsonl(tmp_path / "faces.jsonl")) < 110


def test_ctrl_c_while_torch_loads_is_obeyed_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "streamer", "-v", "run", "demo", "--headless", "--set", "detector.name=mtcnn"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "opened" in line:  # the source is there, the models are not
            break
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert time.monotonic() - began < 4  # the importing thread holds the interpreter for up to a second at a time


def test_verbose_tells_what_happens(tmp_path: Path) -> None:
    err = facestream("-v", "run", "demo", "--headless", "--max-frames", "3", "--jsonl", "x.jsonl", cwd=tmp_path).stderr
    for words in ("configuration: defaults", "writing x.jsonl", "demo: opened", "retinaface and landmarks loaded"):
        assert words in err


def test_a_default_run_never_imports_torch_or_other_heavy_packages(tmp_path: Path) -> None:
    code = """
import sys
import streamer
assert not {"torch", "numpy", "cv2", "av", "onnxruntime"} & set(sys.modules), "import streamer is not free"
sys.argv = ["facestream", "run", "demo", "--headless", "--max-frames", "3", "--jsonl", "x.jsonl"]
from streamer.__main__ import main
try:
    main()
except SystemExit as end:
    assert end.code == 0
heavy = {"torch", "scipy", "skimage", "matplotlib", "joblib", "filterpy", "onnx"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
