"""Credentials in addresses: taken from the URL, the configuration or the environment, never shown."""

from __future__ import annotations

import os
import re
from urllib.parse import quote, unquote

from streamer.config import SourceConfig

AUTHENTICATED_SCHEMES = frozenset({"rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "ftp", "sftp"})

_SCHEME = r"(?P<scheme>[A-Za-z][\w+.-]*://)"
_STANDARD = r"[^/?#{blank}]*@"
# A password typed raw may hold '/': what follows "user:" and is no port number then runs up to the last '@'.
_RAW = r"[^/:@?#{blank}]+:(?!\d+(?:[/?#\s]|$))[^\n{blank}]*@"
# To connect, the standard reading comes first. To show, the one that hides more: better half a path than a password.
_TO_CONNECT = re.compile(f"{_SCHEME}(?:{_STANDARD}|{_RAW})".replace("{blank}", ""))
_TO_SHOW = re.compile(f"{_SCHEME}(?:{_RAW}|{_STANDARD})".replace("{blank}", r"\s"))
_TO_SHOW_ALONE = re.compile(f"{_SCHEME}(?:{_RAW}|{_STANDARD})".replace("{blank}", ""))
_SECRET = re.compile(
    r"(?P<key>[?&;](?:user(?:name)?|usr|login|pass(?:word|wd|phrase)?|pwd|pw|token|access_token|auth|"
    r"key|api_?key|secret|sig(?:nature)?)=)[^&;#\s'\"]*",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Remove user names, passwords and secret query values from every URL inside a text.

    >>> redact("cannot open rtsp://me:s3cret@cam/live?token=abc&x=1")
    'cannot open rtsp://cam/live?token=***&x=1'
    """
    return _SECRET.sub(r"\g<key>***", _TO_SHOW.sub(r"\g<scheme>", text))


def scheme_of(url: str) -> str:
    """Return the lower-case scheme of a URL."""
    return url.partition("://")[0].lower()


def without_credentials(url: str) -> str:
    """Return one whole URL fit to be shown; unlike in a text, its password may hold blanks."""
    return redact(_TO_SHOW_ALONE.sub(r"\g<scheme>", url))


def with_credentials(url: str, config: SourceConfig) -> str:
    """Return the URL with percent-encoded credentials: its own, else the configured, else the environment's."""
    if scheme_of(url) not in AUTHENTICATED_SCHEMES:
        return url
    scheme, user, password, rest = _split(url)
    if user is None:
        user = config.username or os.environ.get("FACESTREAM_USERNAME")
        secret = config.password.get_secret_value() if config.password else None
        password = secret or os.environ.get("FACESTREAM_PASSWORD")
    if not user and not password:
        return scheme + rest
    encoded = quote(user or "", safe="")
    if password is not None:
        encoded += ":" + quote(password, safe="")
    return f"{scheme}{encoded}@{rest}"


def host_and_port(url: str) -> tuple[str, int | None]:
    """Return host and port (``None`` when not given) of a URL."""
    rest = _split(url)[3]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    match = re.fullmatch(r"(?:\[(?P<v6>[^\]]*)\]|(?P<name>[^:]*))(?::(?P<port>\d+))?", authority)
    if match is None:
        return authority, None
    return match["v6"] or match["name"] or "", int(match["port"]) if match["port"] else None


def _split(url: str) -> tuple[str, str | None, str | None, str]:
    """Split a URL into scheme with ``://``, user, password (decoded, ``None`` when absent) and the rest."""
    match = _TO_CONNECT.match(url)
    if match is None:
        scheme, separator, rest = url.partition("://")
        return scheme + separator, None, None, rest
    user, colon, password = match.group()[len(match["scheme"]) : -1].partition(":")
    return match["scheme"], unquote(user), unquote(password) if colon else None, url[match.end() :]
