"""What the card on the stage says in each state: what happened, and which steps are next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from streamer import errors
from streamer.pipeline.status import CameraState, CameraStatus
from ui.webcam_watch import webcam_number
from ui.widgets import sentence

_PATIENCE: Final = 2.0  # seconds without news after which people begin to wonder

_AWAITED: Final = "It starts by itself when it is plugged in again."

_TITLES: Final = (
    (errors.SourceNotFoundError, "Not found"),
    (errors.SourceRefusedError, "Connection refused"),
    (errors.SourceAuthError, "User name or password refused"),
    (errors.SourceTimeoutError, "No answer"),
    (errors.SourceLostError, "Connection lost"),
    (errors.NoVideoError, "No video in it"),
    (errors.UndecodableError, "No video that can be read"),
    (errors.WebcamBusyError, "The webcam is in use"),
    (errors.SourceError, "This source cannot be shown"),
    (errors.WeightsError, "A network cannot be loaded"),
    (errors.DeviceError, "No such processor here"),
    (errors.OutputError, "This cannot be written"),
    (errors.ConfigError, "A setting is wrong"),
    (errors.EffectError, "An effect cannot be used"),
)
"""A few words for each kind of error, the narrower before the wider."""

_WEBCAM_TITLES: Final = (
    (errors.SourceNotFoundError, "The webcam is not there"),
    (errors.SourceRefusedError, "The webcam may not be used"),
    (errors.SourceTimeoutError, "No picture from the webcam"),
    (errors.SourceLostError, "The webcam has gone"),
)
"""The same for what is plugged in instead of being connected to."""


@dataclass(frozen=True, slots=True)
class Message:
    """What the card says.

    Attributes:
        title: a few words.
        text: one sentence: what happened and the remedy.
        busy: whether something is under way.
        again: label of the button that starts the source once more; empty for none.
        failed: whether there is something to correct, and details to pass on.
        login: whether it is the user name or the password.
    """

    title: str
    text: str = ""
    busy: bool = False
    again: str = ""
    failed: bool = False
    login: bool = False


def message_for(status: CameraStatus, *, awaited: bool = False) -> Message | None:
    """What to tell about a status; ``None`` while the picture speaks for itself.

    Args:
        status: of the camera.
        awaited: whether the source starts by itself once it is there again.
    """
    if status.on_show:
        return None
    match status.state:
        case CameraState.IDLE | CameraState.CONNECTING:
            return Message("Getting ready", sentence(status.activity) + "…", busy=True)
        case CameraState.FAILED:
            login = isinstance(status.error, errors.SourceAuthError)
            text = sentence(str(status.error))
            if login:  # the card has fields for both: where else they can be given is for other programs
                text = f"{text.partition('. ')[0].removesuffix('.')}. Enter the right ones here."
            if awaited:
                text = f"{text.removesuffix('.')}. {_AWAITED}"
            return Message(_title(status), text, again="Retry", failed=True, login=login)
        case CameraState.ENDED:
            return Message("The video has ended", status.source, again="Play again")
        case CameraState.CLOSED:
            return Message("Stopped", status.source, again="Start")
    return None


def waiting(seconds: float) -> str:
    """What to add while something takes ``seconds`` already; empty while that is nothing unusual."""
    return f"Waiting for {seconds:.0f} s. Cancel ends it at once." if seconds >= _PATIENCE else ""


def silence(status: CameraStatus, seconds: float) -> str:
    """A sentence on a live picture that has not changed for ``seconds``; empty while there is nothing to tell."""
    live = status.state is CameraState.RUNNING and status.playback.live is True
    if not live or seconds < _PATIENCE:
        return ""
    return f"{status.source} has sent no picture for {seconds:.0f} s: what you see is the last one."


def _title(status: CameraStatus) -> str:
    if isinstance(status.error, errors.SourceTimeoutError) and status.frames:
        return "The picture has stopped"
    titles = (*(_WEBCAM_TITLES if webcam_number(status) is not None else ()), *_TITLES)
    return next((title for kind, title in titles if isinstance(status.error, kind)), "Something went wrong inside")
