"""Effects in a running stream: only for those who look, the same for all of them, and changed while it runs."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from streamer import load_config
from streamer.effects import Effects
from streamer.effects.presets import save_preset
from streamer.headless import print_summary
from streamer.pipeline.camera import Camera
from streamer.pipeline.status import CameraState
from streamer.settings import with_values
from streamer.sinks.jsonl import JsonlWriter
from streamer.sinks.recorder import Recorder
from streamer.sinks.snapshot import save_snapshot
from tests.pipeline.players import Collector, Player, until

CLIP = "streamer_turns.mp4"


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[Effects]:
    """The effects that were carried out, one entry per picture."""
    calls: list[Effects] = []
    apply = Effects.apply

    def spy(self: Effects, *args, **kwargs):
        calls.append(self)
        return apply(self, *args, **kwargs)

    monkeypatch.setattr(Effects, "apply", spy)
    return calls


def choose(p: Player, look: str) -> None:
    p.camera.configure(with_values(p.camera.config, {"effects.look": look}))


def test_nobody_who_sees_pixels_means_no_effects(clips: Path, tmp_path: Path, applied: list[Effects]) -> None:
    writer = JsonlWriter(tmp_path / "faces.jsonl")
    camera = Camera(
        str(clips / CLIP), load_config(None, ["effects.look=glam"]), sinks=[writer], realtime=False, max_frames=20
    )
    camera.start()
    assert camera.wait(60)
    camera.close()
    writer.close()
    assert len((tmp_path / "faces.jsonl").read_text().splitlines()) == 20
    assert applied == []
    assert "effects" not in camera.metrics.stages()


def test_what_is_recorded_is_what_is_shown(clips: Path, tmp_path: Path, applied: list[Effects]) -> None:
    recorder, collector = Recorder(tmp_path / "out.mp4", crf=0), Collector()
    config = load_config(None, ["effects.look=tone=1, pixelate"])
    camera = Camera(str(clips / CLIP), config, sinks=[recorder, collector], realtime=False, max_frames=20)
    camera.start()
    assert camera.wait(60)
    camera.close()
    recorder.close()
    assert len(applied) == 20, "made once for all who look"
    with av.open(str(tmp_path / "out.mp4")) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(frames) == 20
    result = collector.results[15]
    assert result.faces
    x1, y1, x2, y2 = result.faces[0].box.astype(int)
    cut = np.s_[y1:y2, x1:x2]
    shown = np.abs(frames[15][cut].astype(int) - result.picture[cut]).mean()
    bare = np.abs(frames[15][cut].astype(int) - result.frame.image[cut]).mean()
    assert shown < 3 < bare
    assert len(applied) == 20
    assert not result.picture.flags.writeable
    assert camera.metrics.stages()["effects"][0] == 20


def test_a_snapshot_shows_the_effects(clips: Path, tmp_path: Path, player) -> None:
    import cv2

    result = player(clips / CLIP, "effects.look=pixelate").paused(1.0)
    path = save_snapshot(result, tmp_path / "plain.png", overlays=False)
    assert np.array_equal(cv2.imread(str(path)), result.picture)
    assert not np.array_equal(result.picture, result.frame.image)


def test_a_paused_picture_comes_again_with_other_effects(clips: Path, player) -> None:
    p = player(clips / CLIP, "effects.look=tone")
    before = p.paused(1.0)
    count = len(p.shown)
    choose(p, "cartoon")
    until(lambda: len(p.shown) > count)
    after = p.settle()
    assert after.faces is before.faces, "nothing was detected again"
    assert after.frame is before.frame
    assert [effect.name() for effect in after.shown.effects.effects] == ["cartoon"]
    choose(p, "cartoon=0")
    until(lambda: not p.last.shown.effects)
    assert p.last.picture is p.last.frame.image, "a look, though one that changes nothing"
    choose(p, "")
    until(lambda: p.last.shown is None)
    assert p.last.picture is p.last.frame.image


def test_effects_change_while_it_plays(clips: Path, player) -> None:
    p = player(clips / CLIP, "source.loop=true").play()
    assert p.last.shown is None
    choose(p, "tone=0.5")
    until(lambda: p.last.shown is not None)
    track = until(lambda: p.last.faces)[0].track_id
    choose(p, "tone=1")
    until(lambda: p.last.shown.effects.effects[0].strength == 1 and p.last.faces)
    assert p.last.faces[0].track_id == track


def test_a_preset_that_breaks_leaves_the_last_good_look(clips: Path, tmp_path: Path, player, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = save_preset("mine", Effects.parse("tone=0.7").effects)
    p = player(clips / CLIP, "source.loop=true", "effects.look=blur").play()
    wanted = with_values(p.camera.config, {"effects.look": "mine"})
    path.write_text("effects: {tone: 7}")
    p.camera.configure(wanted)
    (warning,) = until(lambda: p.camera.status().warnings)
    assert "the effects stay as they are" in str(warning)
    assert "tone.strength is 7; allowed: number from 0 to 1" in str(warning)
    assert p.camera.status().state is CameraState.RUNNING
    assert [effect.name() for effect in p.last.shown.effects.effects] == ["blur"]
    choose(p, "tone=0.2")
    until(lambda: not p.camera.status().warnings)


def test_no_picture_without_effects_while_networks_are_being_loaded(clips: Path, player) -> None:
    p = player(clips / CLIP, "effects.look=privacy")
    seen = []
    p.camera.on_change(lambda: seen.extend(result for result in [p.camera.viewer.take(0)] if result is not None))
    p.camera._callbacks.reverse()  # this one first: it must see every result
    p.camera.start()
    until(lambda: len(seen) > 5)
    assert all(result.shown is not None for result in seen)


def test_comparing_shows_no_covered_face(clips: Path, player) -> None:
    result = player(clips / CLIP, "effects.look=tone=1, pixelate").paused(1.0)
    x1, y1, x2, y2 = result.faces[0].box.astype(int)
    changed = (result.shown.before != result.frame.image).any(2)[y1:y2, x1:x2]
    assert changed.mean() > 0.9
    assert player(clips / CLIP, "effects.look=tone=1").paused(1.0).shown.before is not None


def test_the_summary_tells_what_effects_cost(clips: Path, tmp_path: Path, capsys) -> None:
    from rich.console import Console

    recorder = Recorder(tmp_path / "out.mp4")
    camera = Camera(
        str(clips / CLIP), load_config(None, ["effects.look=tone"]), sinks=[recorder], realtime=False, max_frames=15
    )
    camera.start()
    assert camera.wait(60)
    camera.close()
    recorder.close()
    print_summary(camera, Console(width=100))
    assert "effects (ms)" in capsys.readouterr().out


@pytest.mark.parametrize("look", ["tone", "tone, blur"])
def test_an_internal_error_is_raised_once_and_never_shows_a_covered_face(
    clips: Path, player, monkeypatch, look
) -> None:
    def broken(self: object, face: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("streamer.effects.library.tone.Tone.paint", broken)
    p = player(clips / CLIP, f"effects.look={look}")
    with pytest.raises(ZeroDivisionError):
        _ = p.paused(1.0).picture
    p.camera.step(1)
    after = until(lambda: p.settle() if p.settle().frame.index else None)
    if "blur" in look:
        assert not after.picture.any()
    else:
        assert after.picture is after.frame.image


def test_a_cover_that_is_put_on_a_paused_frame_hides_the_faces_nobody_followed(clips: Path, player) -> None:
    p = player(clips / "crowd_street_1080p.mp4")
    before = p.paused(1.0)
    choose(p, "pixelate")
    until(lambda: p.last.shown is not None and p.last.shown.effects.covers)
    assert p.last.frame.index == before.frame.index
    assert len(p.last.hidden) > len(before.hidden)
