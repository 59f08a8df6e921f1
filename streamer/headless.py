"""A run without a window: a live progress line, and the summary at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streamer.config import Config
from streamer.console import open_console
from streamer.pipeline.camera import Camera
from streamer.pipeline.status import CameraState, CameraStatus
from streamer.session import STDOUT, RunOptions, finish, open_sinks
from streamer.sources import resolve

_FEWEST = 10  # frames that a rate is worth telling of
_PLAIN_EVERY = 2.0  # seconds between progress lines where there is no terminal to redraw one in


def run_headless(options: RunOptions, config: Config) -> int:
    """Run a source to its end without a window.

    Returns:
        The exit status: 0, that of a sink that failed, or 130 when Ctrl-C ended the run.

    Raises:
        FacestreamError: why the source or an output path did not work.
    """
    source = resolve(options.source)
    jsonl, record = options.jsonl, options.record
    if source == "demo" and jsonl is None and record is None:
        jsonl, record = config.output.folder / "demo.jsonl", config.output.folder / "demo.mp4"
    console, interrupted = Console(stderr=True), False
    with open_sinks(replace(options, jsonl=jsonl, record=record), config) as sinks:
        camera = Camera(source, config, sinks=sinks, realtime=False, max_frames=options.max_frames)
        try:
            camera.start()
            with _progress(console, camera) as show:
                while not camera.wait(0.1):
                    show()
        except KeyboardInterrupt:
            interrupted = True
        finally:
            camera.close()
    # Who reads the lines from the terminal or a pipe must not find a table in them.
    print_summary(camera, console if jsonl == STDOUT else open_console())
    return finish(camera) or (130 if interrupted else 0)


def print_summary(camera: Camera, console: Console) -> None:
    """Print the table of a finished run: rates, stages, drops, tracks, files."""
    status, metrics = camera.status(), camera.metrics
    if not status.frames:
        return
    frames = "1 frame" if status.frames == 1 else f"{status.frames} frames"
    table = Table(title=f"{status.source}: {frames}", title_justify="left")
    for heading in ("", "runs", "p50", "p95"):
        table.add_column(heading, justify="left" if not heading else "right")
    for stage, (runs, p50, p95) in metrics.stages().items():
        table.add_row(f"{stage} (ms)", str(runs), f"{p50:.2f}", f"{p95:.2f}")
    p50, p95 = status.latency_ms
    table.add_row("latency (ms)", str(status.frames), f"{p50:.2f}", f"{p95:.2f}")
    table.add_section()
    if metrics.frames >= _FEWEST:
        table.add_row("frames per second", "", f"{metrics.mean_fps():.1f}", "")
    table.add_row("tracks", "", str(metrics.tracks), "")
    for cause, count in status.drops.items():
        table.add_row(f"dropped: {cause}", "", str(count), "")
    if not status.drops:
        table.add_row("dropped frames", "", "0", "")
    console.print(table)
    for path in (path for path in camera.written() if path != STDOUT):
        console.print(f"wrote {path}", soft_wrap=True)


def progress_line(status: CameraStatus) -> str:
    """A running camera in one line."""
    if status.state in (CameraState.IDLE, CameraState.CONNECTING):
        return f"{status.source}: {status.activity} …"
    size = f"{status.size[0]}×{status.size[1]}" if status.size else ""
    lost = sum(status.drops.values())
    p50, p95 = status.latency_ms
    return (
        f"{status.source} {size}  frame {status.frames}  {status.analysed_fps:.1f} fps  faces {status.faces}  "
        f"latency {p50:.1f}/{p95:.1f} ms  dropped {lost}"
    )


@contextmanager
def _progress(console: Console, camera: Camera) -> Iterator[Callable[[], None]]:
    """A line that is redrawn on a terminal, and repeated now and then where there is none."""
    if console.is_terminal:
        with Live(console=console, transient=True, refresh_per_second=8) as live:
            yield lambda: live.update(Text(progress_line(camera.status()), no_wrap=True, overflow="ellipsis"))
        return
    shown = time.monotonic()

    def repeat() -> None:
        nonlocal shown
        if time.monotonic() - shown >= _PLAIN_EVERY:
            shown = time.monotonic()
            console.print(progress_line(camera.status()), soft_wrap=True, highlight=False)

    yield repeat
