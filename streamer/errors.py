"""Every error a user can meet: one plain sentence that says what happened and what to do.

The command line prints ``str(error)`` and leaves with ``exit_status``; the window shows the same
sentence with a Retry button. Messages never contain credentials (``streamer.sources.redact``).
"""

from __future__ import annotations


class FacestreamError(Exception):
    """Base of all errors that are told to the user as one sentence, without a traceback.

    Attributes:
        exit_status: what the command line exits with.
        retryable: whether trying the same thing again can help without any change by the user.
    """

    exit_status: int = 1
    retryable: bool = False


class ConfigError(FacestreamError):
    """A configuration key, value or file is wrong; the message names the key and what is allowed."""

    exit_status = 2


class EffectError(FacestreamError):
    """A file in the effects' library is no effect: it cannot be imported, or does not hold one documented class."""


class SourceError(FacestreamError):
    """A video source cannot be opened or read."""

    exit_status = 3


class SourceNotFoundError(SourceError):
    """No such file, folder, camera, host or stream path."""


class SourceRefusedError(SourceError):
    """The host is there but refuses the connection."""

    retryable = True


class SourceAuthError(SourceError):
    """User name or password is missing or wrong."""


class SourceTimeoutError(SourceError):
    """The source did not answer, or stopped sending, within the configured time."""

    retryable = True


class SourceLostError(SourceError):
    """A source that was running broke off (unplugged, connection closed)."""

    retryable = True


class NoVideoError(SourceError):
    """The source opens but holds no video stream or no picture."""


class UndecodableError(SourceError):
    """The data is no video, is truncated beyond use, or uses a codec that cannot be decoded."""


class WebcamBusyError(SourceError):
    """Another program holds the webcam."""

    retryable = True


class ImageError(FacestreamError):
    """A picture cannot be read, is empty, or is too large to analyse."""

    exit_status = 3


class WeightsError(FacestreamError):
    """Model weights are missing, damaged, or belong to another network."""

    exit_status = 4


class DeviceError(FacestreamError):
    """The requested compute device is not there (CUDA asked for on a machine without it)."""

    exit_status = 5


class OutputError(FacestreamError):
    """A file cannot be written: no permission, no space, no such folder."""

    exit_status = 6


class DisplayError(FacestreamError):
    """A window was asked for but no display, or no Qt system library, is there."""

    exit_status = 7
