"""A little program to drag something out of: ``python drag_source.py X Y KIND VALUE…``.

KIND is ``uris``, ``text`` or ``image``. Prints ``ready`` once it can be pressed, whether a drop would be
``accepted`` or ``refused`` there, and at the end the action that was taken, ``0`` for none.
"""

from __future__ import annotations

import sys

from PyQt5.QtCore import QMimeData, Qt, QUrl
from PyQt5.QtGui import QColor, QDrag, QImage, QMouseEvent
from PyQt5.QtWidgets import QApplication, QLabel


class Handle(QLabel):
    """What is taken hold of."""

    def __init__(self, mime: QMimeData) -> None:
        super().__init__("drag me")
        self._mime = mime
        self.setWindowFlags(Qt.X11BypassWindowManagerHint)
        self.setFixedSize(80, 30)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Begin to drag; comes back when it is over. Whoever took the drop may still ask for what it is."""
        drag = QDrag(self)
        drag.setMimeData(self._mime)
        drag.actionChanged.connect(lambda action: print("accepted" if action else "refused", flush=True))
        print(int(drag.exec(Qt.CopyAction | Qt.MoveAction | Qt.LinkAction, Qt.CopyAction)), flush=True)


def mime_of(kind: str, values: list[str]) -> QMimeData:
    """What other programs hand over: files and addresses as a list of URIs, or marked text."""
    mime = QMimeData()
    if kind == "uris":
        mime.setUrls([QUrl.fromUserInput(value) for value in values])
    elif kind == "text":
        mime.setText("\n".join(values))
    else:
        image = QImage(8, 8, QImage.Format_RGB32)
        image.fill(QColor("red"))
        mime.setImageData(image)
    return mime


if __name__ == "__main__":
    app = QApplication(["drag_source", "-platform", "xcb"])
    handle = Handle(mime_of(sys.argv[3], sys.argv[4:]))
    handle.move(int(sys.argv[1]), int(sys.argv[2]))
    handle.show()
    handle.raise_()
    print("ready", flush=True)
    app.exec()
