"""Loads other networks behind the ones that run, when the settings ask for them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from streamer.config import Config
from streamer.errors import FacestreamError, WeightsError
from streamer.settings import values_of

if TYPE_CHECKING:
    from streamer.pipeline.analyzer import Models

log = logging.getLogger(__name__)


class ModelLoader:
    """Keeps the networks in step with the configuration that was asked for last.

    Thread contract: ``want``, ``take`` and the attributes may be used from any thread and never wait for a load.
    One thread at most loads at a time; what is not wanted any more when it is there is thrown away.

    Attributes:
        error: why the networks wanted last could not be loaded, so that the old ones go on; ``None`` otherwise.
        activity: what is being loaded, in a few words; empty when nothing is.
    """

    def __init__(self, config: Config, on_change: Callable[[], None]) -> None:
        """Start from the networks of ``config``; ``on_change`` is called when others are there, or cannot be had."""
        self.error: FacestreamError | None = None
        self._loaded = self._wanted = config
        self._on_change = on_change
        self._lock = threading.Lock()
        self._ready: Models | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def activity(self) -> str:
        """See above."""
        return "" if self._thread is None else f"loading {self._wanted.detector.name}"

    def want(self, config: Config) -> None:
        """Have the networks of ``config`` loaded, if they are not the present ones."""
        with self._lock:
            if self._closed or _networks(config) == _networks(self._wanted):
                return
            self._wanted, self.error = config, None
            if self._thread is None and _networks(config) != _networks(self._loaded):
                self._thread = threading.Thread(target=self._run, name="model-loader", daemon=True)
                self._thread.start()

    def take(self) -> Models | None:
        """The networks that have been loaded since the last call, if any."""
        with self._lock:
            ready, self._ready = self._ready, None
            return ready

    def close(self, timeout: float) -> bool:
        """Load nothing further; ``False`` if a load is still under way after ``timeout`` seconds."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return thread is None or not thread.is_alive()

    def _run(self) -> None:
        while (config := self._next()) is not None:
            models, error = _load(config, instead_of=self._loaded.detector.name)
            with self._lock:
                if _networks(config) != _networks(self._wanted):
                    continue
                self._thread = None
                if models is None:
                    self.error = error
                else:
                    self._ready, self._loaded = models, config
            self._on_change()
            return

    def _next(self) -> Config | None:
        """The configuration to load networks for; ``None`` when the present ones do after all."""
        with self._lock:
            if self._closed or _networks(self._wanted) == _networks(self._loaded):
                self._thread = None
                return None
            return self._wanted


def _networks(config: Config) -> dict[str, object]:
    """The keys that decide which networks run, and where."""
    return values_of(config, applies="load")


def _load(config: Config, *, instead_of: str) -> tuple[Models | None, FacestreamError | None]:
    from streamer.pipeline.analyzer import load_models

    try:
        models = load_models(config)
    except FacestreamError as error:
        return None, type(error)(f"{instead_of} goes on, because {config.detector.name} cannot be loaded: {error}")
    except Exception as error:
        log.exception("the networks cannot be loaded")
        return None, WeightsError(f"{instead_of} goes on, because {config.detector.name} cannot be loaded: {error!r}")
    log.info("%s and landmarks loaded", models.detector.name)
    return models, None
