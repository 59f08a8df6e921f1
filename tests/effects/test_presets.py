"""Effects as text and as files: what they mean, and what is said about mistakes in them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.effects import Effects
from streamer.effects.listing import as_markdown
from streamer.effects.presets import (
    BUILT_IN,
    delete_preset,
    load_preset,
    parse_effects,
    preset_paths,
    save_preset,
    to_text,
    user_folder,
)
from streamer.effects.registry import all_effects
from streamer.errors import ConfigError, OutputError
from tests.conftest import REPOSITORY

BUILT_IN_NAMES = ("glam", "natural", "privacy", "streamer")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return user_folder()


def strengths(text: str) -> dict[str, float]:
    return {effect.name(): effect.strength for effect in parse_effects(text)}


def test_the_built_in_presets_are_there_and_complete() -> None:
    assert tuple(preset_paths()) == BUILT_IN_NAMES
    for name in BUILT_IN_NAMES:
        assert Effects.from_preset(name), f"{name} does nothing"
    assert Effects.from_preset("privacy").covers
    assert not Effects.from_preset("glam").covers


def test_no_preset_has_the_name_of_an_effect() -> None:
    assert not set(preset_paths()) & set(all_effects())


@pytest.mark.parametrize("text", ["", "  ", ","])
def test_an_empty_text_means_no_effects(text: str) -> None:
    effects = Effects.parse(text)
    assert not effects
    picture = np.full((4, 5, 3), 7, np.uint8)
    assert np.array_equal(effects.apply(picture, []), picture)


def test_an_effect_by_its_name_has_its_default_strength() -> None:
    assert strengths("tone") == {"tone": all_effects()["tone"]().strength}


def test_what_comes_later_counts() -> None:
    glam = strengths("glam")
    changed = strengths("glam, blush=0, tone=0.9, blur")
    assert changed == glam | {"blush": 0, "tone": 0.9, "blur": all_effects()["blur"]().strength}
    assert strengths("tone=0.9, glam")["tone"] == glam["tone"]


def test_settings_take_colours_choices_and_values_with_commas() -> None:
    lipstick, pixelate = parse_effects("lipstick.colour=#aa2244, lipstick.finish=matte,pixelate.faces=id 1, 4")
    assert (lipstick.colour, lipstick.finish, pixelate.faces) == ("#aa2244", "matte", "id 1, 4")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("glamm", "there is no effect or preset 'glamm'; did you mean glam? (presets: glam, natural"),
        ("lipstik=0.4", "there is no effect or preset 'lipstik'; did you mean lipstick?"),
        ("lipstick=3", "lipstick.strength is 3; allowed: number from 0 to 1"),
        ("lipstick=much", "lipstick.strength is 'much'; allowed: number from 0 to 1"),
        (
            "lipstick.colour=redd",
            "lipstick.colour is 'redd'; allowed: a colour such as '#b03050' or crimson",
        ),
        ("lipstick.colour=#b0305", "lipstick.colour is '#b0305'; allowed: a colour"),
        ("lipstick.=1", "lipstick. is no setting of lipstick (allowed: strength, colour, finish)"),
        ("lipstick=yes", "lipstick.strength: it is true; allowed: number from 0 to 1"),
        ("lipstick=2024-99-99", "lipstick.strength is '2024-99-99'"),
        ("glam=0.4", "glam is a preset and takes no strength"),
        ("glam.skin=0.4", "glam is a preset; what it holds is changed behind a comma: 'glam, skin=0.3'"),
        ("glam.skin", "glam is a preset; what it holds is changed behind a comma"),
        (
            "lipstick.finish",
            "lipstick.finish has no value; write 'lipstick.finish=' and one (allowed: one of m",
        ),
        (
            "lipstick.wet",
            "lipstick.wet has no value; write 'lipstick.wet=' and one (settings of lipstick: st",
        ),
        ("mine.yml=0.4", "mine.yml is a preset and takes no strength"),
        ("lipstick.finish=wet", "lipstick.finish is 'wet'; allowed: one of matte, gloss"),
        ("lipstick.shine=1", "lipstick.shine is no setting of lipstick (allowed: strength, colour, finish)"),
        ("pixelate.faces=some", "pixelate.faces"),
        ("nowhere/party.yaml", "cannot read the preset nowhere/party.yaml: No such file or directory; check the path"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_effects(text)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("effects: {skin: 0.5", "is not valid YAML (line 1: "),
        ("- skin", "must hold one section 'effects:'"),
        ("effects: {skin: 0.5}\nfaces: 3", "must hold one section 'effects:'"),
        ("effects: {}", "must hold one section 'effects:' with lines such as 'skin: 0.6'"),
        ("effects: {skin: null}", "skin has no value; allowed: a strength from 0 to 1, or settings by name"),
        ('effects: {blur: {faces: "id 0"}}', "'id 0' picks no faces: write all, id 1,4"),
        ("effects: {sticker: {file: .}}", "sticker.file: . is a folder; give the path of a PNG"),
        ("effects: {skn: 0.5}", "'skn'; did you mean skin?"),
        ("effects: {skin: true}", "skin is True; allowed: a strength from 0 to 1, or settings by name"),
        ("effects: {skin: {strenth: 1}}", "skin.strenth is no setting of skin (allowed: strength"),
        ("effects: {lipstick: {colour: 7}}", "lipstick.colour is 7; allowed: a colour such as"),
        ("effects: {lipstick: {colour: #b03050\n}}", "in a file, a colour needs quotation marks"),
        ("effects:\n  lipstick: {colour: #b03050}\n  skin: 1\n", "line 2: a colour needs quotation marks"),
        ("effects:\n  skin: 0.3\n  skin: 0.5\n", "line 3: skin is there twice"),
        ("effects:\n\tskin: 0.3\n", "line 2: tabs cannot indent, use spaces"),
        ("effects: {skin: {strength: true}}", "skin.strength: it is true; allowed: number from 0 to 1"),
        ("effects: {skin: .inf}", "skin.strength"),
        ("- " * 30_000, "nested too deeply"),
    ],
)
def test_a_broken_preset_file_is_refused_by_name(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError) as error:
        Effects.from_preset(path)
    assert str(path) in str(error.value)
    assert says in str(error.value)


def test_a_preset_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(bytes(range(128, 256)))
    with pytest.raises(ConfigError, match="is not valid YAML"):
        load_preset(path)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("#B35", "#bb3355"),
        ("#b03050", "#b03050"),
        ("B03050", "#b03050"),
        ("001122", "#001122"),
        ("Crimson", "#dc143c"),
        ("dark red", "#8b0000"),
    ],
)
def test_a_colour_is_written_alike_everywhere(tmp_path: Path, written: str, means: str) -> None:
    (tmp_path / "mine.yaml").write_text(f"effects: {{lipstick: {{colour: '{written}'}}}}")
    for effects in (parse_effects(f"lipstick.colour={written}"), load_preset(tmp_path / "mine.yaml")):
        assert effects[0].colour == means  # type: ignore[attr-defined]
    assert Effects.parse(to_text(effects)) == Effects(effects)


def test_a_path_may_hold_whatever_names_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("a, b = c.yaml", "evening.yml", "glam.yaml"):
        (tmp_path / name).write_text("effects: {skin: 0.3}")
    for text in ('"a, b = c.yaml"', "evening.yml", "./evening.yml", "~/evening.yml", "glam.yaml"):
        assert strengths(f"tone=0.1, {text}, teeth=0.2") == {"tone": 0.1, "skin": 0.3, "teeth": 0.2}
    assert Effects.from_preset("a, b = c.yaml") == Effects.parse("skin=0.3")


@pytest.mark.parametrize("preset", ["glam, blush=0", "blush=0", "lipstick"])
def test_a_look_given_for_a_preset_is_pointed_to_what_takes_it(preset: str) -> None:
    with pytest.raises(ConfigError, match=r"is no preset but a look; Effects\.parse\('"):
        Effects.from_preset(preset)
    assert Effects.parse(preset).effects


def test_a_file_that_is_no_preset_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("effects: {skin: 0.3}")
    with pytest.raises(ConfigError, match=r"mine\.txt is no preset; name a YAML file, such as mine\.yaml"):
        Effects.from_preset(tmp_path / "mine.txt")


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("glam.yaml", "the name glam is taken by facestream itself"),
        ("glam.yml", "the name glam is taken by facestream itself"),
        ("lipstick.yaml", "the name lipstick is taken by facestream itself"),
        ("None.yaml", "the name None is taken by facestream itself"),
        ("we,ird.yaml", "'we,ird' cannot name a preset"),
        ("a=b.yaml", "'a=b' cannot name a preset"),
        ("7.yaml", "'7' cannot name a preset"),
        ("x .yaml", "'x ' cannot name a preset"),
    ],
)
def test_a_file_whose_name_cannot_be_a_presets_is_listed_with_the_reason(
    own_folder: Path, file: str, reason: str
) -> None:
    own_folder.mkdir(parents=True)
    (own_folder / file).write_text("effects: {skin: 0.11}")
    assert tuple(preset_paths()) == (*BUILT_IN_NAMES, file)
    with pytest.raises(ConfigError, match=f"{reason}.*; rename the file"):
        load_preset(file)
    assert Effects.from_preset(own_folder / file) == Effects.parse("skin=0.11"), "its path says what is meant"
    assert strengths("glam")["skin"] != 0.11


def test_two_files_of_one_name_are_told_and_a_saved_one_takes_the_place_of_its_own(own_folder: Path) -> None:
    own_folder.mkdir(parents=True)
    (own_folder / "party.yml").write_text("effects: {skin: 0.11}")
    (own_folder / ".party-x.yaml").write_text("half a file that is being written")
    assert strengths("party") == {"skin": 0.11}
    assert save_preset("party", parse_effects("tone=0.2")) == own_folder / "party.yml"
    (own_folder / "party.yaml").write_text("effects: {skin: 0.11}")
    assert tuple(preset_paths()) == (*BUILT_IN_NAMES, "party.yaml", "party.yml")
    with pytest.raises(ConfigError, match=r"party\.yml cannot be used: there are two files of the name party"):
        parse_effects("party.yml")
    with pytest.raises(ConfigError, match="there are two files"):
        save_preset("party", ())


@pytest.mark.parametrize("name", ["Öl", "夜", "a-b c_d", "Late night 2"])
def test_names_in_any_language_can_be_had(name: str) -> None:
    save_preset(name, parse_effects("tone=0.2"))
    assert strengths(f"skin=0.1, {name}, teeth=0.4") == {"skin": 0.1, "tone": 0.2, "teeth": 0.4}


def test_an_own_preset_is_saved_found_replaced_and_deleted(own_folder: Path) -> None:
    effects = parse_effects("glam, lipstick.colour=#112233, blur.faces=not id 2")
    path = save_preset("evening look", effects)
    assert path == own_folder / "evening look.yaml"
    assert set(load_preset("evening look")) == set(effects)
    assert set(parse_effects("evening look")) == set(effects)
    save_preset("evening look", parse_effects("tone=0.2"))
    assert strengths("evening look") == {"tone": 0.2}
    assert "evening look" in preset_paths()
    delete_preset("evening look")
    assert "evening look" not in preset_paths()
    assert list(own_folder.iterdir()) == []


@pytest.mark.parametrize("name", ["glam", "lipstick", "../x", "", "a/b", ".hidden", "7", "None", "a,b"])
def test_a_name_that_cannot_be_a_presets_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"taken by facestream|cannot name a preset"):
        save_preset(name, ())


def test_a_name_that_is_too_long_for_a_file_is_refused() -> None:
    with pytest.raises(ConfigError, match="is 252 letters long; a preset's name has 60 at most"):
        save_preset("x" * 252, Effects.from_preset("natural").active)
    assert save_preset("é" * 60, Effects.from_preset("natural").active).is_file()


def test_a_folder_that_cannot_be_written_is_told(own_folder: Path) -> None:
    own_folder.parent.mkdir(parents=True)
    own_folder.write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot write .*mine\.yaml"):
        save_preset("mine", parse_effects("tone=0.2"))


def test_a_preset_without_effects_is_not_written(own_folder: Path) -> None:
    with pytest.raises(ConfigError, match="there is no effect to keep"):
        save_preset("mine", ())
    assert not own_folder.exists()


@pytest.mark.parametrize("name", sorted(all_effects()))
@pytest.mark.parametrize("preset", [None, "glam"])
def test_text_and_effects_turn_into_each_other(name: str, preset: str | None) -> None:
    effects = Effects([*(load_preset(preset) if preset else ()), all_effects()[name](strength=0.15)])
    assert Effects.parse(to_text(effects.effects, preset)) == effects


@pytest.mark.parametrize(
    "name", ["a, b.png", "st, x/my, heart.png", "7.png", "true", "say 'it'.png", "a=b.png", "ü #1.png"]
)
def test_any_file_name_survives_being_text(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(tmp_path / "x.png"), np.full((8, 8, 4), 120, np.uint8))
    (tmp_path / "x.png").rename(name)
    effects = Effects([all_effects()["sticker"].model_validate({"file": name}), all_effects()["tone"]()])
    assert Effects.parse(to_text(effects.effects)) == effects


def test_text_relative_to_a_preset_names_only_what_differs() -> None:
    effects = [effect for effect in parse_effects("glam, lipstick=0.1") if effect.name() != "blush"]
    assert to_text(effects, "glam") == "glam, lipstick=0.1, blush=0"


def test_the_document_lists_every_effect_and_is_up_to_date() -> None:
    text = as_markdown()
    assert (REPOSITORY / "docs" / "effects.md").read_text(encoding="utf-8") == text, (
        "run: python -m streamer.effects > docs/effects.md"
    )
    for name in (*all_effects(), *BUILT_IN_NAMES):
        assert f"`{name}`" in text
    assert BUILT_IN.is_dir()


def test_no_face_is_swapped_away_from_its_cover() -> None:
    effects = Effects.parse("face_swap, tone, pixelate.faces=id 1")
    assert [effect.name() for effect in effects.covering().effects] == ["pixelate"]
    assert [effect.name() for effect in effects.active] == ["tone", "pixelate"]
    assert "face_swap" in [effect.name() for effect in Effects.parse("face_swap, tone, pixelate=0").active]
