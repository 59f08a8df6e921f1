"""One run of one source: what the user asked of it, its outputs, and how it ended."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from streamer.errors import OutputError
from streamer.sinks.base import refuse_source

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.pipeline.camera import Camera
    from streamer.sinks.base import Sink


log = logging.getLogger(__name__)

STDOUT = Path("/dev/stdout")
"""What ``-`` stands for as an output."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the user asked of one run.

    Attributes:
        source: what to open.
        jsonl: where JSON lines go, or ``None``.
        record: where the recording goes, or ``None``.
        max_frames: analysed frames after which to stop, or ``None``.
        stats: print the summary after a window has been closed, too.
    """

    source: str
    jsonl: Path | None = None
    record: Path | None = None
    max_frames: int | None = None
    stats: bool = False


@contextmanager
def open_sinks(options: RunOptions, config: Config) -> Iterator[list[Sink]]:
    """Open what the run writes to, before anything else starts, and finish it at the end.

    Raises:
        OutputError: a path cannot be written.
    """
    _refuse_overlap(options)
    with ExitStack() as stack:
        sinks: list[Sink] = []
        if options.jsonl is not None:
            from streamer.sinks.jsonl import JsonlWriter

            sinks.append(stack.enter_context(closing(JsonlWriter(options.jsonl))))
        if options.record is not None:
            from streamer.sinks.recorder import Recorder

            sinks.append(stack.enter_context(closing(Recorder(options.record, crf=config.output.record_quality))))
        for sink in sinks:
            log.info("writing %s", sink.path)
        yield sinks


def _refuse_overlap(options: RunOptions) -> None:
    """Refuse to write over the source, or two outputs into one file: the user would lose a video.

    Raises:
        OutputError: names the path.
    """
    outputs = [path for path in (options.jsonl, options.record) if path is not None]
    for path in outputs:
        refuse_source(path, options.source)
    if len(outputs) == 2 and outputs[0].resolve() == outputs[1].resolve() and outputs[0].parent != Path("/dev"):
        raise OutputError(f"--jsonl and --record both name {outputs[0]}; choose two files")


def tell(problem: object) -> None:
    """Say on the standard error what went wrong."""
    typer.secho(f"facestream: {problem}", fg=typer.colors.RED, err=True)


def finish(camera: Camera) -> int:
    """Tell what went wrong in a closed camera.

    Returns:
        0, or the exit status of what went wrong without ending the run.

    Raises:
        FacestreamError: what the camera failed with.
    """
    status = camera.status()
    for warning in status.warnings:
        tell(warning)
    if status.error is not None:
        raise status.error
    return max((warning.exit_status for warning in status.warnings), default=0)
