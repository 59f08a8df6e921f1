"""From FFmpeg's error numbers to the project's errors: one plain sentence, the remedy, no credentials."""

from __future__ import annotations

import errno

import av.error

from streamer.errors import (
    SourceAuthError,
    SourceError,
    SourceLostError,
    SourceNotFoundError,
    SourceRefusedError,
    SourceTimeoutError,
    UndecodableError,
    WebcamBusyError,
)
from streamer.sources.urls import redact

_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
_GONE = {errno.ECONNRESET, errno.EPIPE, errno.EIO, errno.ENODEV, errno.ENOTCONN, errno.ECONNABORTED}
_NO_SUCH_FORMAT = (
    av.error.InvalidDataError,
    av.error.EOFError,
    av.error.DemuxerNotFoundError,
    av.error.DecoderNotFoundError,
    av.error.PatchWelcomeError,
)


def connect_timed_out(name: str, seconds: float) -> SourceTimeoutError:
    """Nobody answered while connecting."""
    return SourceTimeoutError(
        f"{name} did not answer within {seconds:g} s. "
        "Check the address and that the device is on, or raise source.connect_timeout."
    )


def read_timed_out(name: str, seconds: float) -> SourceTimeoutError:
    """A running source fell silent."""
    return SourceTimeoutError(
        f"{name} has sent no picture for {seconds:g} s. Check the camera and the network, or raise source.read_timeout."
    )


def opening_failed(error: av.error.FFmpegError, name: str, seconds: float) -> SourceError:
    """Translate an error met while a source was being opened."""
    number = error.errno
    if isinstance(error, av.error.ExitError) or number == errno.ETIMEDOUT:
        return connect_timed_out(name, seconds)
    if isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
        return SourceAuthError(
            f"{name} refuses the user name or password. "
            "Give them in the URL, in source.username and source.password, "
            "or in FACESTREAM_USERNAME and FACESTREAM_PASSWORD."
        )
    if isinstance(error, av.error.HTTPNotFoundError):
        return SourceNotFoundError(f"The server knows no stream at {name}. Check the path in the URL.")
    if number == errno.ENOENT:
        return SourceNotFoundError(f"{name} does not exist. Check the spelling.")
    if number == errno.ECONNREFUSED:
        return SourceRefusedError(
            f"{name} refuses the connection. Check the port and that the server or camera is running."
        )
    if number in _UNREACHABLE:
        return SourceRefusedError(f"{name} cannot be reached from this network. Check the address and the cable.")
    if number == errno.EBUSY:
        return WebcamBusyError(f"{name} is in use by another program. Close that program and try again.")
    if number in (errno.EACCES, errno.EPERM):
        return SourceRefusedError(f"{name} may not be read by this user. Change its permissions.")
    if isinstance(error, av.error.ProtocolNotFoundError):
        return SourceNotFoundError(f"{name} uses a kind of address that is not supported. Use rtsp, http or https.")
    if isinstance(error, (av.error.HTTPError, av.error.HTTPClientError)):
        return SourceRefusedError(
            f"The server turned the request for {name} down: {_reason(error)}. Check the address, or try again later."
        )
    if isinstance(error, _NO_SUCH_FORMAT) and "://" in name:
        return UndecodableError(
            f"What {name} sends is no video. Check the port and the path in the URL, and that it plays elsewhere."
        )
    if isinstance(error, _NO_SUCH_FORMAT):
        return UndecodableError(
            f"{name} is no video, or is damaged beyond use. Check that it plays elsewhere, or convert it."
        )
    if number in _GONE:
        return SourceLostError(f"{name} broke off the connection ({_reason(error)}). Try again.")
    return SourceError(f"{name} cannot be opened: {_reason(error)}. Check the source and try again.")


def reading_failed(error: av.error.FFmpegError, name: str, seconds: float) -> SourceError:
    """Translate an error met while a source was running."""
    if isinstance(error, av.error.ExitError) or error.errno == errno.ETIMEDOUT:
        return read_timed_out(name, seconds)
    return SourceLostError(f"{name} broke off ({_reason(error)}). Check the device and the connection, then try again.")


def _reason(error: av.error.FFmpegError) -> str:
    """FFmpeg's own words, without the address."""
    return redact(error.strerror or type(error).__name__).rstrip(".")
