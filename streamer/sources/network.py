"""Network streams: RTSP over TCP or UDP, HTTP(S) MJPEG and HLS, and any other URL FFmpeg opens."""

from __future__ import annotations

import socket
import time
from typing import Any

import av
import av.error

from streamer.config import SourceConfig
from streamer.errors import SourceLostError, SourceNotFoundError
from streamer.sources.base import Picture
from streamer.sources.container import ContainerSource
from streamer.sources.decoding import VideoStream
from streamer.sources.failures import connect_timed_out
from streamer.sources.interrupt import call_abandonable
from streamer.sources.urls import host_and_port, scheme_of, with_credentials, without_credentials

PULLED_SCHEMES = frozenset({"http", "https", "ftp", "sftp"})
"""Schemes that deliver as fast as we read: with a known length they are files that lie elsewhere."""

RESOLVED_SCHEMES = PULLED_SCHEMES | {"rtsp", "rtsps", "rtmp", "rtmps"}
"""Schemes whose host name we look up first, because FFmpeg's own look-up cannot be interrupted."""

RECORDING_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".wmv", ".flv", ".mpg"})
"""Endings of a path that promise a recording before it is opened."""

# Half a megabyte or a second is enough to recognise any camera, and the reader catches up at once.
_PROBE = {"probesize": "500000", "analyzeduration": "1000000"}


class NetworkSource(ContainerSource):
    """A stream behind a URL.

    Live unless it is a download of known length (HTTP file, recorded HLS). Before :meth:`open`, ``live`` is
    guessed from the path's ending; afterwards it is certain.
    """

    live = True

    def __init__(self, url: str, config: SourceConfig) -> None:
        """Prepare to connect.

        Args:
            url: address, with or without credentials.
            config: ``rtsp_transport``, ``username``, ``password``, the time limits and, to a recording, ``loop``
                apply.
        """
        super().__init__(without_credentials(url), config, loop=config.loop)
        self._url = with_credentials(url, config)
        self._scheme = scheme_of(url)
        path = url.partition("?")[0].lower()
        self.live = not (self._scheme in PULLED_SCHEMES and path.endswith(tuple(RECORDING_SUFFIXES)))

    def _connect(self) -> Any:
        started = time.monotonic()
        self._look_up()
        left = max(self.connect_timeout - (time.monotonic() - started), 0.1)
        return av.open(
            self._url,
            options=self._options(),
            timeout=(left, self.read_timeout),
            metadata_errors="replace",
        )

    def _options(self) -> dict[str, str]:
        if self._scheme.startswith("rtsp"):
            transport = self._config.rtsp_transport
            # max_delay: how long (us) a UDP packet that is missing is waited for.
            return {"rtsp_transport": transport, "max_delay": "200000", "allowed_media_types": "video", **_PROBE}
        if self._scheme in PULLED_SCHEMES:
            return {"user_agent": "facestream", **_PROBE}
        return dict(_PROBE)

    def _look_up(self) -> None:
        """Check that the host's name is known; its absence is otherwise told as an input/output error."""
        if self._scheme not in RESOLVED_SCHEMES:
            return
        host, port = host_and_port(self._url)
        if not host:
            raise SourceNotFoundError(f"{self.name} names no host. Write it as {self._scheme}://host/path.")
        if port is not None and not 0 < port < 65536:
            raise SourceNotFoundError(f"{self.name} names port {port}, but ports go from 1 to 65535. Correct it.")
        try:
            call_abandonable(
                lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM),
                self.connect_timeout,
                self._closed,
                dispose=list,
            )
        except TimeoutError:
            raise connect_timed_out(self.name, self.connect_timeout) from None
        except (OSError, UnicodeError):
            raise SourceNotFoundError(
                f"No host is known by the name '{host}'. Check the address and the network connection."
            ) from None

    def _begin(self, stream: VideoStream) -> None:
        recorded = self._scheme in PULLED_SCHEMES and stream.duration is not None
        self.live, self.seekable = not recorded, recorded

    def _open(self) -> None:
        super()._open()
        if self.live:
            self.duration = None  # some cameras announce one all the same

    def _ended(self) -> Picture | None:
        """A recording may end; a live stream that ends has broken off."""
        if not self.live:
            return self._again() if self.loop else None
        raise SourceLostError(f"{self.name} ended the stream. Check that the camera is running, then try again.")
