"""Media made on the spot with FFmpeg, from the public-domain portrait moving across the picture."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamer.sources import Source


@pytest.fixture(scope="session")
def moving(astronaut: np.ndarray) -> Callable[[int, int, int], Iterator[np.ndarray]]:
    """Frames of the portrait shifting by two pixels each: ``moving(count, width, height)``."""

    def frames(count: int, width: int, height: int) -> Iterator[np.ndarray]:
        large = cv2.resize(astronaut, (width + 2 * count, height))
        for index in range(count):
            yield np.ascontiguousarray(large[:, 2 * index : 2 * index + width])

    return frames


@pytest.fixture(scope="session")
def encode(moving: Callable[[int, int, int], Iterator[np.ndarray]]) -> Callable[..., Path]:
    """Write a clip with PyAV: ``encode(path, codec, pix_fmt=…, size=…, count=…, ticks=…)``."""

    def write(
        path: Path,
        codec: str,
        *,
        pix_fmt: str = "yuv420p",
        size: tuple[int, int] = (320, 240),
        count: int = 30,
        ticks: list[int] | None = None,
        options: dict[str, str] | None = None,
    ) -> Path:
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=30, options=options or {})
            stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
            for index, image in enumerate(moving(count, *size)):
                frame = av.VideoFrame.from_ndarray(image, format="bgr24")
                frame.pts = ticks[index] if ticks else index
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory, encode: Callable[..., Path]) -> Path:
    """One second of 320 x 240 H.264 with a key frame every ten frames."""
    folder = tmp_path_factory.mktemp("clip")
    return encode(folder / "clip.mp4", "libx264", options={"g": "10", "bf": "2"})


@pytest.fixture(scope="session")
def jpegs(moving: Callable[[int, int, int], Iterator[np.ndarray]]) -> list[bytes]:
    """Ten JPEG pictures for MJPEG streams."""
    return [cv2.imencode(".jpg", image)[1].tobytes() for image in moving(10, 320, 240)]


@pytest.fixture
def ffmpeg() -> Callable[..., None]:
    """Run the ``ffmpeg`` command for what PyAV cannot write."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg command (apt install ffmpeg)")

    def run(*arguments: str | Path) -> None:
        command = ["ffmpeg", "-v", "error", "-y", *map(str, arguments)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)

    return run


@pytest.fixture
def drain() -> Callable[[Source], list]:
    """Open a source, read it to its end and close it."""

    def read_all(source: Source, limit: int = 10_000) -> list:
        frames = []
        try:
            source.open()
            while len(frames) < limit and (frame := source.read()) is not None:
                frames.append(frame)
        finally:
            source.close()
        return frames

    return read_all


@pytest.fixture
def in_thread() -> Iterator[Callable[..., Future]]:
    """Run a call on another thread, which is joined at the end of the test; returns a future."""
    with ThreadPoolExecutor(2) as pool:
        yield pool.submit
