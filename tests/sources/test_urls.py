"""Credentials: found in every place, encoded for FFmpeg, shown nowhere."""

from __future__ import annotations

import pytest

from streamer.config import SourceConfig
from streamer.sources.urls import host_and_port, redact, with_credentials, without_credentials


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://me:pw@cam:554/a", "rtsp://cam:554/a"),
        ("rtsp://me@cam/a", "rtsp://cam/a"),
        ("rtsp://me:p@ss@cam/a", "rtsp://cam/a"),
        ("rtsp://me:pa/ss@cam/a", "rtsp://cam/a"),
        ("failed: 'http://a:b@h/x' and http://c:d@h/y.", "failed: 'http://h/x' and http://h/y."),
        ("http://h/v?user=me&password=pw&x=1", "http://h/v?user=***&password=***&x=1"),
        ("http://h:80/watch/@channel", "http://h:80/watch/@channel"),
        ("write to me@example.org", "write to me@example.org"),
        ("clip.mp4", "clip.mp4"),
    ],
)
def test_redact(text, shown):
    assert redact(text) == shown


@pytest.mark.parametrize("password", ["my secret", "p@ss/w:rd 100%", "a?b#c", "1234"])
def test_nothing_of_a_raw_password_is_shown(password):
    assert without_credentials(f"rtsp://me:{password}@cam/a") == "rtsp://cam/a"


@pytest.mark.parametrize(
    ("url", "options", "result"),
    [
        ("rtsp://cam/a", {}, "rtsp://cam/a"),
        ("rtsp://me:p%40ss@cam/a", {}, "rtsp://me:p%40ss@cam/a"),
        ("rtsp://me:p@ss@cam/a", {}, "rtsp://me:p%40ss@cam/a"),
        ("rtsp://me:pa/ss@cam/a", {}, "rtsp://me:pa%2Fss@cam/a"),
        ("rtsp://me:pw@cam/watch/@channel", {}, "rtsp://me:pw@cam/watch/@channel"),
        ("rtsp://me:50%off@cam/a", {}, "rtsp://me:50%25off@cam/a"),
        ("rtsp://cam/a", {"username": "me", "password": "p:/@ %"}, "rtsp://me:p%3A%2F%40%20%25@cam/a"),
        ("rtsp://you:x@cam/a", {"username": "me", "password": "y"}, "rtsp://you:x@cam/a"),
        ("udp://239.0.0.1:1234", {"username": "me", "password": "y"}, "udp://239.0.0.1:1234"),
    ],
)
def test_with_credentials(url, options, result):
    assert with_credentials(url, SourceConfig(**options)) == result


def test_environment_is_the_last_resort(monkeypatch):
    monkeypatch.setenv("FACESTREAM_USERNAME", "env")
    monkeypatch.setenv("FACESTREAM_PASSWORD", "e")
    assert with_credentials("rtsp://cam/a", SourceConfig()) == "rtsp://env:e@cam/a"
    assert with_credentials("rtsp://cam/a", SourceConfig(username="me", password="y")) == "rtsp://me:y@cam/a"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp://cam/a", ("cam", None)),
        ("rtsp://me:pw@cam:8554/a", ("cam", 8554)),
        ("http://[::1]:80/a", ("::1", 80)),
        ("http://h?x=1", ("h", None)),
    ],
)
def test_host_and_port(url, expected):
    assert host_and_port(url) == expected
