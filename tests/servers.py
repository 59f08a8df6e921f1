"""Servers for tests, each a context manager: real RTSP, HTTP in several moods, and one that never answers."""

from __future__ import annotations

import contextlib
import http.server
import select
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import av
import pytest

from streamer.sources import Source

SERVED_SECONDS = 60
ASSETS = Path(__file__).parent / "assets"
SYSTEM_PYTHON = "/usr/bin/python3"

_PROBE = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; "
    "Gst.init(None); names = ('filesrc', 'qtdemux', 'h264parse', 'rtph264pay'); "
    "missing = [n for n in names if Gst.ElementFactory.find(n) is None]; raise SystemExit(', '.join(missing) or 0)"
)


@cache
def _rtsp_missing() -> str:
    """Why no RTSP server can be run here; empty when it can."""
    if shutil.which(SYSTEM_PYTHON) is None:
        return f"no {SYSTEM_PYTHON}"
    probe = subprocess.run([SYSTEM_PYTHON, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=False)
    return (probe.stderr.strip().splitlines() or ["unknown reason"])[-1] if probe.returncode else ""


class RtspServer:
    """A running RTSP server; ``url`` has no credentials."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process = process
        self.port = port
        self.url = f"rtsp://127.0.0.1:{port}/live"

    def kill(self) -> None:
        """Die as a camera does whose power is cut."""
        self._process.kill()
        self._process.wait(5)

    def freeze(self) -> None:
        """Go silent but keep every connection, as a camera does that hangs."""
        self._process.send_signal(19)


def repeat(clip: Path, path: Path) -> None:
    """Write an mp4 file several times over, without encoding, so that no test on a slow machine sees its end."""
    with av.open(str(path), "w") as target:
        stream, shift, seconds = None, 0, 0.0
        while seconds < SERVED_SECONDS:
            with av.open(str(clip)) as source:
                video = source.streams.video[0]
                stream = stream or target.add_stream_from_template(video)
                for packet in source.demux(video):
                    if packet.dts is not None and packet.pts is not None:
                        packet.dts, packet.pts, packet.stream = packet.dts + shift, packet.pts + shift, stream
                        target.mux(packet)
                assert video.duration, "a clip without a length"
                shift += video.duration
                seconds = float(shift * video.time_base)


@contextlib.contextmanager
def rtsp_server(clip: Path, *credentials: str, port: int = 0) -> Iterator[RtspServer]:
    """Serve an H.264 mp4 over RTSP again and again, with basic authentication where user and password are given.

    A port can be named to come back where another server was.
    """
    if missing := _rtsp_missing():
        pytest.skip(
            f"no GStreamer RTSP server: {missing} "
            "(apt install gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-good gstreamer1.0-plugins-bad)"
        )
    with tempfile.TemporaryDirectory() as folder:
        served = Path(folder) / "served.mp4"
        repeat(clip, served)
        command = [SYSTEM_PYTHON, str(ASSETS / "rtsp_server.py"), str(served), str(port), *credentials]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            try:
                assert process.stdout is not None
                ready, _, _ = select.select([process.stdout], [], [], 30)
                assert ready, "the RTSP server did not start"
                yield RtspServer(process, int(process.stdout.readline()))
            finally:
                process.kill()


class _Handler(http.server.BaseHTTPRequestHandler):
    """Serves a file and those beside it, MJPEG at /mjpeg, /slow and /stall, and errors at /status/NNN."""

    clip: Path
    jpegs: list[bytes]
    stop: threading.Event

    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def do_GET(self) -> None:
        with contextlib.suppress(ConnectionError):
            if self.path.startswith("/status/"):
                self.send_error(int(self.path.partition("?")[0].rpartition("/")[2]))
            elif self.path.startswith("/mjpeg"):
                self._stream(stall_after=None)
            elif self.path.startswith("/slow"):
                self._stream(stall_after=None, period=0.4)
            elif self.path.startswith("/stall"):
                self._stream(stall_after=5)
            else:
                self._file()

    def _file(self) -> None:
        beside = self.clip.parent / Path(self.path).name
        data = (beside if beside.is_file() else self.clip).read_bytes()
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:])

    def _stream(self, stall_after: int | None, period: float = 0.02) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        count = 0
        gone = False
        while not self.stop.is_set() and not gone:
            if stall_after is None or count < stall_after:
                jpeg = self.jpegs[count % len(self.jpegs)]
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
                count += 1
            gone = bool(select.select([self.connection], [], [], period)[0])  # readable: the client hung up


@contextlib.contextmanager
def http_server(clip: Path, jpegs: list[bytes], *, port: int = 0) -> Iterator[str]:
    """Run the HTTP server and give its base URL, e.g. ``http://127.0.0.1:4711``.

    A port can be named to come back where another server was.
    """
    stop = threading.Event()
    handler = type("Handler", (_Handler,), {"clip": clip, "jpegs": jpegs, "stop": stop})
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            stop.set()
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """Accept connections and never answer; gives the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield server.getsockname()[1]


def exhaust(source: Source) -> None:
    """Read a source until it ends or fails."""
    while source.read() is not None:
        pass


def refusing_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
