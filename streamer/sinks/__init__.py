"""Consumers of results: files, and later streams and events. Each is driven by a thread of its own."""

from streamer.sinks.base import Sink

__all__ = ["Sink"]
