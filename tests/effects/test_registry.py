"""A file that somebody adds to the effects' library: found, or refused in one sentence that says why."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.effects import library
from streamer.effects.registry import all_effects
from streamer.errors import EffectError

GOOD = '''
from streamer.effects.base import FaceEffect, Phase


class {name}(FaceEffect):
    """Does nothing."""

    title = "Nothing"
    phase = Phase.SKIN

    def paint(self, face):
        pass
'''
TWO = GOOD.format(name="One") + GOOD.format(name="Two")
BARE = GOOD.format(name="Bare").replace('    """Does nothing."""\n', "").replace("    phase = Phase.SKIN\n", "")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The library, with nothing in it."""
    known = set(sys.modules)
    monkeypatch.setattr(library, "__path__", [str(tmp_path)])
    yield tmp_path
    for name in {name for name in sys.modules if name.startswith(library.__name__)} - known:
        del sys.modules[name]


def test_a_file_is_enough_for_an_effect(folder: Path) -> None:
    (folder / "new_one.py").write_text(GOOD.format(name="NewOne"))
    assert list(all_effects.__wrapped__()) == ["new_one"]


@pytest.mark.parametrize(
    ("text", "says", "cause"),
    [
        ("import numpy\n\nimport nowhere\n", "ModuleNotFoundError: No module named 'nowhere' (line 3)", ImportError),
        ("class A(\n", "was never closed (line 1)", SyntaxError),
        ("x = 1\nraise ValueError('two\\nlines')\n", "ValueError: two lines (line 2)", ValueError),
        ("", "must hold one class derived from Effect, not 0", None),
        (TWO, "must hold one class derived from Effect, not 2", None),
        (BARE, "lacks phase, __doc__ in its class", None),
    ],
)
def test_a_file_that_is_no_effect_is_told(folder: Path, text: str, says: str, cause: type[Exception] | None) -> None:
    (folder / "broken.py").write_text(text)
    with pytest.raises(EffectError) as told:
        all_effects.__wrapped__()
    assert says in str(told.value)
    assert str(folder / "broken.py") in str(told.value)
    assert "\n" not in str(told.value)
    assert cause is None or isinstance(told.value.__cause__, cause)


def test_the_command_says_it_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("nothing = unknown\n")
    program = (
        f"import sys; from streamer.effects import library; library.__path__.insert(0, {str(tmp_path)!r});"
        "sys.argv = ['facestream', 'effects']; from streamer.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert f"{tmp_path / 'broken.py'} cannot be imported: NameError: name 'unknown' is not defined (line 1)" in line
