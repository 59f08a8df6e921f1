"""The desktop entry and the icon: ours, complete, and starting this installation."""

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from PyQt5.QtGui import QImage

from tests.ui.fakes import near, pixels
from ui import theme
from ui.desktop_entry import install
from ui.icon import SIZES, draw

pytestmark = pytest.mark.usefixtures("qapp")


def test_the_entry_starts_this_installation_and_has_its_icons(tmp_path: Path) -> None:
    path = install(tmp_path)
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(path)
    entry = parser["Desktop Entry"]
    command = shlex.split(entry["Exec"])
    assert command[-2:] == ["run", "%U"]
    done = subprocess.run([*command[:-2], "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("facestream")
    for side in SIZES:
        image = QImage(str(tmp_path / "icons" / "hicolor" / f"{side}x{side}" / "apps" / f"{entry['Icon']}.png"))
        assert (image.width(), image.height()) == (side, side)


def test_the_entry_is_valid(tmp_path: Path) -> None:
    if shutil.which("desktop-file-validate") is None:
        pytest.skip("desktop-file-validate is not installed (package desktop-file-utils)")
    subprocess.run(["desktop-file-validate", str(install(tmp_path))], check=True)


def test_a_folder_that_cannot_be_written_to_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "icons").write_text("")
    with pytest.raises(OSError, match="icons"):
        install(tmp_path)


def test_the_icon_shows_a_face_in_a_box_and_is_transparent_around() -> None:
    image = draw(64).toImage()
    assert image.pixelColor(0, 0).alpha() == 0
    rgb = pixels(image)
    for color in theme.TRACKS[:2]:
        assert near(rgb, color.getRgb()[:3], 30).sum() > 60
