"""Credentials in addresses: taken from the URL, the configuration or the environment, never shown."""

from __future__ import annotations

import os
import re
from urllib.parse import quote, unquote

from streamer.config import SourceConfig

AUTHENTICATED_SCHEMES = frozenset({"rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "ftp", "sftp"})

# A password typed raw may hold '@' or even '/': what follows "user:" and is no port number runs up to the last '@'.
_USERINFO = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*://)(?:[^\s/?#]*@|[^\s/:@?#]+:(?!\d+(?:[/?#\s]|$))[^\s]*@)")
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
    return _SECRET.sub(r"\g<key>***", _USERINFO.sub(r"\g<scheme>", text))


def scheme_of(url: str) -> str:
    """Return the lower-case scheme of a URL."""
    return url.partition("://")[0].lower()


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
    match = _USERINFO.match(url)
    if match is None:
        scheme, separator, rest = url.partition("://")
        return scheme + separator, None, None, rest
    user, colon, password = match.group()[len(match["scheme"]) : -1].partition(":")
    return match["scheme"], unquote(user), unquote(password) if colon else None, url[match.end() :]
