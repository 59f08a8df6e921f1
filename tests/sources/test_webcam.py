"""Webcams with a fake device: no machine that tests this has a real one."""

from __future__ import annotations

import errno
import threading
import time

import av
import av.error
import pytest

from streamer.config import SourceConfig
from streamer.errors import SourceError, SourceLostError, SourceNotFoundError, SourceTimeoutError, WebcamBusyError
from streamer.sources import list_webcams, open_source
from streamer.sources import webcam as webcam_module
from streamer.sources.demo import DemoSource
from streamer.sources.webcam import WebcamSource
from tests.servers import exhaust


def os_error(number):
    """The error PyAV raises for an operating system error number."""
    return av.error.classes.get(number, av.error.UndefinedError)(number, "fake", "/dev/video7")


def camera(opener, **options):
    return WebcamSource(7, "/dev/video7", SourceConfig(**options), opener=opener)


def test_reads_the_device_until_it_is_unplugged(clip):
    source = camera(lambda path, mode: av.open(str(clip)))
    source.open()
    assert (source.name, source.live, source.size) == ("webcam 7", True, (320, 240))
    for _ in range(30):
        assert source.read() is not None
    with pytest.raises(SourceLostError, match="plugged in"):
        source.read()
    source.close()


def test_falls_back_to_what_the_camera_can_do(clip):
    asked = []

    def opener(path, mode):
        asked.append(mode)
        if mode:
            raise os_error(errno.EINVAL)
        return av.open(str(clip))

    source = camera(opener)
    source.open()
    source.close()
    assert asked == list(webcam_module.MODES)


@pytest.mark.parametrize(
    ("number", "error", "words"),
    [
        (errno.EBUSY, WebcamBusyError, "another program"),
        (errno.ENOENT, SourceNotFoundError, "facestream sources"),
        (errno.EACCES, SourceError, "permissions"),
    ],
)
def test_failures(number, error, words):
    def opener(path, mode):
        raise os_error(number)

    with pytest.raises(error, match=words):
        camera(opener).open()


class Device:
    """A container that gives some packets and from then on has no picture ready."""

    def __init__(self, clip, packets):
        self._container, self._left = av.open(str(clip)), packets
        self.closed = False

    def __getattr__(self, name):
        return getattr(self._container, name)

    def demux(self, stream):
        for packet in self._container.demux(stream) if self._left else ():
            self._left -= 1
            yield packet
            if not self._left:
                break
        raise os_error(errno.EAGAIN)

    def close(self):
        self._container.close()
        self.closed = True


def test_stall_is_a_timeout(clip):
    device = Device(clip, 12)
    source = camera(lambda path, mode: device, read_timeout=0.3)
    source.open()
    with pytest.raises(SourceTimeoutError, match=r"no picture for 0\.3 s"):
        exhaust(source)
    source.close()
    assert device.closed


def test_close_wakes_the_reader_of_a_stalled_camera(clip, in_thread):
    source = camera(lambda path, mode: Device(clip, 12), read_timeout=60)
    source.open()
    reader = in_thread(exhaust, source)
    time.sleep(0.3)
    source.close()
    reader.result(timeout=20)


def test_close_while_the_driver_hangs_in_open(clip, in_thread):
    release, containers = threading.Event(), []

    def opener(path, mode):
        release.wait(60)
        containers.append(Device(clip, 1))
        return containers[0]

    source = camera(opener, connect_timeout=60)
    opening = in_thread(source.open)
    time.sleep(0.2)
    began = time.monotonic()
    source.close()
    with pytest.raises(SourceError, match="closed"):
        opening.result(timeout=20)
    assert time.monotonic() - began < 20
    release.set()
    deadline = time.monotonic() + 30
    while not (containers and containers[0].closed) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert containers[0].closed, "the device that came too late is let go"


def test_driver_that_hangs_in_open_is_a_timeout():
    release = threading.Event()

    def opener(path, mode):
        release.wait(60)
        raise os_error(errno.ENODEV)

    with pytest.raises(SourceTimeoutError):
        camera(opener, connect_timeout=0.2).open()
    release.set()


def test_list_takes_only_capture_nodes(tmp_path):
    for number, index, name in [(0, 0, "Front"), (1, 1, "Front"), (10, 0, "USB 2"), (2, 0, "Lid")]:
        facts = tmp_path / "sys/class/video4linux" / f"video{number}"
        facts.mkdir(parents=True)
        (facts / "index").write_text(f"{index}\n")
        (facts / "name").write_text(f"{name}\n")
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / f"video{number}").touch()
    found = list_webcams(tmp_path)
    assert [(w.index, w.name) for w in found] == [(0, "Front"), (2, "Lid"), (10, "USB 2")]
    assert found[0].path == str(tmp_path / "dev/video0")


def test_numbers_and_nodes_mean_webcams():
    for spec in ("3", "/dev/video3"):
        assert open_source(spec, SourceConfig(), realtime=True).name == "webcam 3"


def test_auto_takes_the_demo_without_a_webcam(monkeypatch):
    monkeypatch.setattr("streamer.sources.list_webcams", list)
    assert isinstance(open_source("auto", SourceConfig(), realtime=True), DemoSource)


def test_a_webcam_that_is_not_there():
    with pytest.raises(SourceNotFoundError, match="no webcam 250"):
        open_source("250", SourceConfig(), realtime=True).open()
