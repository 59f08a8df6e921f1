"""Qt's messages reach the log with a level that fits, and stderr again afterwards."""

import logging

import pytest
from PyQt5.QtCore import qCritical, qDebug, qWarning

from ui.qt_log import qt_messages_logged


def test_what_qt_says_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "ui.qt_log")
    with qt_messages_logged():
        qDebug("detail")
        qWarning("XDG_RUNTIME_DIR not set, 100 %s sure")
        qCritical("broken")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "detail"),
        ("INFO", "XDG_RUNTIME_DIR not set, 100 %s sure"),
        ("ERROR", "broken"),
    ]


def test_afterwards_qt_speaks_for_itself_again(
    caplog: pytest.LogCaptureFixture, qtlog: pytest.LogCaptureFixture
) -> None:
    with qt_messages_logged():
        pass
    qDebug("to the one before")
    assert not caplog.records
    assert [record.message for record in qtlog.records] == ["to the one before"]
