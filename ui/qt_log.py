"""What Qt has to say goes to the log, with everything else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PyQt5.QtCore import (
    QMessageLogContext,
    QtCriticalMsg,
    QtDebugMsg,
    QtFatalMsg,
    QtInfoMsg,
    QtMsgType,
    QtWarningMsg,
    qInstallMessageHandler,
)

log = logging.getLogger(__name__)

# Qt warns of what it has already got round, such as a missing XDG_RUNTIME_DIR: nothing a user has to act on, so
# that it is shown with --verbose only.
_LEVELS: Final = {
    QtDebugMsg: logging.DEBUG,
    QtInfoMsg: logging.DEBUG,
    QtWarningMsg: logging.INFO,
    QtCriticalMsg: logging.ERROR,
    QtFatalMsg: logging.CRITICAL,
}


@contextmanager
def qt_messages_logged() -> Iterator[None]:
    """Log what Qt would write to stderr, until the block is left."""

    def handle(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        log.log(_LEVELS[kind], "%s", message)

    before = qInstallMessageHandler(handle)
    try:
        yield
    finally:
        qInstallMessageHandler(before)
