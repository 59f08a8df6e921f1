"""The command under what users and machines do to it: odd names, closed pipes, full disks, two runs at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.cli import app
from streamer.config import Config
from streamer.errors import FacestreamError
from streamer.personal import save_defaults
from streamer.settings import with_values
from tests.test_cli import ASTRONAUT, facestream, read_jsonl

COMMAND = f"'{sys.executable}' -m streamer"


def shell(line: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of a shell, in which ``facestream`` is the command."""
    line = line.replace("facestream", COMMAND)
    known = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(["bash", "-c", line], cwd=cwd, env=known | environment, capture_output=True, timeout=90)
    assert b"Traceback" not in done.stdout + done.stderr, done.stderr.decode()
    return done


def portrait(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(Path(str(ASTRONAUT)).read_bytes())
    return path


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["run", "x" * 300, "--headless"], 3, "There is no file, folder or camera"),
        (["image", "x" * 300], 3, "File name too long"),
        (["image", "x/" * 3000], 3, "File name too long"),
        (["run", "~nobody-here/x.mp4", "--headless"], 3, "There is no file, folder or camera '~nobody-here/x.mp4'"),
        (["run", "demo", "--headless", "--set", "landmarks.weights=~nobody-here/x"], 2, "there is no home folder"),
        (["run", "demo", "--headless", "--set", "source.start=.inf"], 2, "config key 'source.start' is inf"),
        (["run", "demo", "--headless", "--set", "detector.score=2024-99-99"], 2, "'detector.score' is '2024-99-99'"),
        (["run", "demo", "--headless", "--config", "/dev/zero"], 2, "larger than 1 megabyte"),
        (["run", "demo", "--headless", "--pace", "slow"], 2, "--pace is 'slow'; allowed: one of auto, realtime"),
        (
            ["run", "demo", "--headless", "--effects", "nix"],
            2,
            "facestream: --effects: there is no effect or preset 'nix'",
        ),
        (["evaluate", "effects", "demo", "--effects", "nix"], 2, "facestream: --effects: there is no effect"),
        (["image", "/dev/zero"], 3, "is a device, not a picture"),
        (["image", "none*.png"], 3, "No file matches none*.png"),
        (["image", str(ASTRONAUT), "--json", "."], 6, "cannot write .: it is a folder; name a file in it"),
        (["image", str(ASTRONAUT), "--save", "file"], 6, "cannot write into file: it is a file; name a folder"),
        (["image", str(ASTRONAUT), "--save", "/proc/none"], 6, "cannot write /proc/none"),
        (["evaluate", "jitter", "demo", "--json", "."], 6, "cannot write .: it is a folder"),
        (["evaluate", "effects", "demo", "--effects", "skin", "--sheet", "."], 6, "cannot write .: it is a folder"),
        (["evaluate", "landmarks", "--data", "."], 3, "holds no labelled face"),
    ],
)
def test_a_mistake_ends_in_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    says: str,
) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.chdir(tmp_path)
    with pytest.raises((FacestreamError, SystemExit)) as end:
        app(arguments, standalone_mode=False)
    told = capsys.readouterr()
    if isinstance(end.value, FacestreamError):
        assert (end.value.exit_status, told.err) == (status, "")
        assert says in f"facestream: {end.value}"
        assert "\n" not in str(end.value)
    else:
        assert end.value.code == status
        assert says in told.err
    assert not told.out
    assert [path.name for path in tmp_path.iterdir()] == ["file"], "nothing is left behind"


def test_names_that_are_no_text_are_read_and_written(tmp_path: Path) -> None:
    odd = os.fsdecode(b"\xff \xe5\x90\x8d [bold].png")
    portrait(tmp_path / odd)
    done = shell("facestream image *.png --json faces.json --save out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / odd).is_file()
    (record,) = json.loads((tmp_path / "faces.json").read_text())
    assert record["image"] == "\ufffd 名 [bold].png"
    done = shell("facestream run *.png --headless --jsonl faces.jsonl", tmp_path)
    assert done.returncode == 0, done.stderr
    assert read_jsonl(tmp_path / "faces.jsonl")[0]["source"] == "\ufffd 名 [bold].png"


def test_a_terminal_that_knows_only_ascii_is_written_to(tmp_path: Path) -> None:
    portrait(tmp_path / "名前.png")
    done = shell("facestream image *.png --json -", tmp_path, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["image"] == "名前.png"
    assert shell("facestream image *.png", tmp_path, PYTHONIOENCODING="ascii", LC_ALL="C").returncode == 0


def test_no_name_is_cut_off_where_there_is_no_terminal(tmp_path: Path) -> None:
    portrait(tmp_path / f"{'long' * 20}.png")
    done = shell("facestream image *.png", tmp_path, COLUMNS="40")
    assert f"{'long' * 20}.png".encode() in done.stdout


@pytest.mark.parametrize("line", ["--version", "image {picture}"])
def test_what_cannot_be_printed_is_told(tmp_path: Path, line: str) -> None:
    line = line.format(picture=portrait(tmp_path / "x.png"))
    done = shell(f"facestream {line} > /dev/full", tmp_path)
    assert done.returncode == 6
    assert b"the disk is full" in done.stderr
    assert shell(f"facestream {line} >&-", tmp_path).returncode == 0


def test_no_output_goes_into_a_file_that_took_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    portrait(tmp_path / "x.png")
    before = (tmp_path / "x.png").read_bytes()
    done = shell("facestream run x.png --headless --jsonl - --record x.mp4 >&- 2>&- <&-", tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "x.png").read_bytes() == before
    capture = cv2.VideoCapture(str(tmp_path / "x.mp4"))
    assert capture.read()[0]
    capture.release()


def test_json_can_be_piped(tmp_path: Path) -> None:
    portrait(tmp_path / "x.png")
    done = shell("facestream image x.png --json -", tmp_path)
    assert json.loads(done.stdout)[0]["image"] == "x.png"
    assert b"score" in done.stderr
    assert shell("facestream image x.png --json - > out.json", tmp_path).returncode == 0
    assert json.loads((tmp_path / "out.json").read_text())


def test_unusable_pictures_do_not_keep_the_others_from_being_analysed(tmp_path: Path) -> None:
    portrait(tmp_path / "in" / "a.png")
    (tmp_path / "empty").mkdir()
    done = facestream("image", "empty", "none*.png", "in/*.png", "--json", "faces.json", cwd=tmp_path)
    assert done.returncode == 3
    assert "The folder empty holds no pictures" in done.stderr
    assert "No file matches none*.png" in done.stderr
    assert [record["image"] for record in json.loads((tmp_path / "faces.json").read_text())] == ["in/a.png"]


def test_two_runs_do_not_write_the_same_files(tmp_path: Path) -> None:
    first = [sys.executable, "-m", "streamer", "run", "demo", "--headless", "--pace", "realtime"]
    first += ["--set", "source.loop=true", "--jsonl", "faces.jsonl", "--record", "video.mp4"]
    process = subprocess.Popen(first, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not ((tmp_path / "faces.jsonl").exists() and (tmp_path / "faces.jsonl").stat().st_size):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for option, name in (("--jsonl", "faces.jsonl"), ("--record", "video.mp4")):
            done = facestream("run", str(ASTRONAUT), "--headless", option, name, cwd=tmp_path)
            assert done.returncode == 6
            assert f"cannot write {name}: another run is writing it; choose another name" in done.stderr
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert [line["frame"] for line in read_jsonl(tmp_path / "faces.jsonl")][:3] == [0, 1, 2]
    assert facestream("run", str(ASTRONAUT), "--headless", "--jsonl", "faces.jsonl", cwd=tmp_path).returncode == 0


def test_a_file_of_another_program_in_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("model:\n  layers: 3\n")
    done = facestream("image", str(ASTRONAUT), cwd=tmp_path)
    assert done.returncode == 2
    assert "config.yaml: unknown config key 'model'" in done.stderr
    assert "if the file is not meant for facestream, add --config OTHER.yaml" in done.stderr
    assert facestream("image", str(ASTRONAUT), "--config", "/dev/null", cwd=tmp_path).returncode == 0
    (tmp_path / "config.yaml").write_text("detector:\n  score: 3\n")
    assert "not meant for facestream" not in facestream("image", str(ASTRONAUT), cwd=tmp_path).stderr


def test_a_measurement_is_the_same_for_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    save_defaults(with_values(Config(), {"smoothing.strength": 1.0, "smoothing.kind": "kalman"}))
    (tmp_path / "config.yaml").write_text("smoothing: {strength: 0.9}\n")
    evaluate = ("evaluate", "jitter", "demo", "--max-frames", "8")
    assert "one_euro smoothing at strength 0.5" in facestream(*evaluate, cwd=tmp_path).stdout
    given = facestream(*evaluate, "--config", "config.yaml", cwd=tmp_path).stdout
    assert "one_euro smoothing at strength 0.9" in given


@pytest.mark.parametrize("home", [None, "/nonexistent"])
def test_no_home_is_needed(tmp_path: Path, home: str | None) -> None:
    cv2.imwrite(str(tmp_path / "dot.png"), np.zeros((1, 1), np.uint8))
    setting = "unset HOME" if home is None else f"export HOME='{home}'"
    done = shell(f"{setting}; unset XDG_CONFIG_HOME; facestream image dot.png --effects glam --save out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "dot.png").is_file()


def test_ctrl_c_while_a_package_loads_is_no_broken_package(tmp_path: Path) -> None:
    code = """
import os, signal, time
import streamer.cli
from streamer.__main__ import main

def app():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)
    except KeyboardInterrupt:
        raise ImportError("initialization failed")

streamer.cli.app = app
main()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "")


def test_an_own_preset_that_cannot_be_used_is_listed_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "facestream" / "effects"
    folder.mkdir(parents=True)
    for name in ("glam.yaml", "we,ird.yml", "evening.yml"):
        (folder / name).write_text("effects: {skin: 0.3}")
    (folder / "tabs.yaml").write_text("effects:\n\tskin: 0.3")
    told = facestream("effects", cwd=tmp_path).stdout.replace("│", " ").split()
    listed = " ".join(told)
    assert "glam.yaml" in told
    assert "we,ird.yml" in told
    for words in ("the name glam is taken by facestream itself; rename", "cannot name a preset", "tabs cannot indent"):
        assert words in listed
    assert "evening skin=0.3" in listed
