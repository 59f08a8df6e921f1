"""The typed configuration: every key with its default, bounds, unit and one line of help.

``config.yaml`` in the repository is this schema rendered (``python -m streamer.config``); forms in the
window are generated from it too, so a new key is added here and nowhere else.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import SecretStr, ValidationError, field_validator

from streamer.errors import ConfigError
from streamer.schema import Section, allowed, key, section_type, shown, takes_text, typed_value
from streamer.yaml_text import YamlError, read_yaml

SCRFD_05G = "conv16/2 dw16 | dw40/2*2 | dw72/2*3 | dw152/2*2 | dw288/2*6"
"""Backbone of SCRFD-0.5G (Guo et al., ICLR 2022); see :mod:`streamer.detectors.structure`."""


class SourceConfig(Section):
    """Where the video comes from."""

    default: str = key(
        "auto",
        "source when none is named: auto (first webcam, else demo) or any source",
        title="Source at start",
        applies="restart",
    )
    pace: Literal["auto", "realtime", "fastest"] = key(
        "auto", "files: realtime as a player, fastest as a batch job; auto = realtime in a window", applies="restart"
    )
    loop: bool = key(False, "start a file, folder or the demo again at its end")
    start: float = key(0.0, "where in a file to start", ge=0, title="Start at", applies="restart", unit="s", step=1.0)
    rtsp_transport: Literal["tcp", "udp"] = key(
        "tcp", "how RTSP media travels", title="RTSP transport", applies="restart"
    )
    username: str | None = key(
        None, "user for network sources; or FACESTREAM_USERNAME, or in the URL", title="User name", applies="restart"
    )
    password: SecretStr | None = key(
        None, "password for network sources; or FACESTREAM_PASSWORD, or in the URL; never logged", applies="restart"
    )
    connect_timeout: float = key(
        5.0, "longest wait for a connection", gt=0, le=120, applies="restart", unit="s", step=0.5
    )
    read_timeout: float = key(
        5.0, "longest wait for the next frame", gt=0, le=120, applies="restart", unit="s", step=0.5
    )
    image_seconds: float = key(
        0.04,
        "how long each picture of a folder is shown",
        gt=0,
        le=60,
        title="Time per picture",
        applies="restart",
        unit="s",
        step=0.02,
    )


class DetectorConfig(Section):
    """How faces are found."""

    name: Literal["retinaface", "retinaface_resnet50", "mtcnn", "tinymog"] = key(
        "retinaface", "which network finds faces", title="Detector", applies="load"
    )
    weights: Path | None = key(
        None,
        "your own weights file, e.g. Resnet50_Final.pth; required for retinaface_resnet50, optional for tinymog",
        applies="load",
    )
    structure: str = key(
        SCRFD_05G, "blocks of the backbone that your tinymog weights have, stage by stage", applies="load"
    )
    # Chosen with benchmarks/detector_size.py: 640 finds 1.4 % more faces of the clips for 1.6 times the time.
    max_side: int = key(
        512,
        "longest side the frame is shrunk to before detection",
        ge=64,
        le=4096,
        title="Input size",
        unit="px",
        step=32,
    )
    score: float | None = key(
        None,
        "lowest score that counts as a face; null = its own, 0.7 or tinymog's 0.5",
        gt=0,
        lt=1,
        title="Score threshold",
        step=0.01,
    )
    nms: float | None = key(
        None,
        "overlap (IoU) above which two boxes are one face; null = its own, 0.4 or tinymog's 0.45",
        gt=0,
        lt=1,
        title="Overlap threshold",
        step=0.01,
    )
    min_face: int = key(16, "smallest face side kept", ge=1, le=2000, title="Smallest face", unit="frame px", step=4)
    rotations: bool = key(True, "also look for faces turned sideways and upside down", title="Turned faces")


class TrackingConfig(Section):
    """How faces are followed between detections."""

    max_faces: int = key(16, "most faces followed at once; the largest win", ge=1, le=256, title="Most faces", step=1)
    detect_every: int = key(
        5,
        "frames between detections while anything is changing",
        ge=1,
        le=300,
        title="Detection interval",
        unit="frames",
        step=1,
    )
    steady_interval: float = key(
        0.45,
        "time between detections while the scene is steady",
        ge=0,
        le=0.5,
        title="Detection interval, steady",
        unit="s",
        step=0.05,
    )
    confirm_hits: int = key(
        3, "sightings before a new face is shown and gets an id", ge=1, le=30, title="Sightings to confirm", step=1
    )
    max_lost: float = key(
        1.0, "how long a hidden face keeps its id", ge=0, le=10, title="Remember hidden faces", unit="s", step=0.1
    )


class LandmarkConfig(Section):
    """The 106 points and the pose."""

    weights: Path | None = key(None, "your own landmark weights (.onnx or .safetensors); none = ours", applies="load")
    passes: int = key(3, "passes of the network over a newly found face", ge=1, le=6, step=1)
    presence: float = key(
        0.5,
        "probability of a real face below which a track is doubted and checked",
        gt=0,
        lt=1,
        title="Presence threshold",
        step=0.01,
    )


class SmoothingConfig(Section):
    """How much the points are steadied."""

    kind: Literal["one_euro", "kalman", "none"] = key(
        "one_euro", "which filter steadies points and pose", title="Filter"
    )
    strength: float = key(0.5, "0 follows at once and trembles, 1 is steadiest and lags most", ge=0, le=1, step=0.05)


class RuntimeConfig(Section):
    """Where the networks run."""

    device: Literal["auto", "cpu", "cuda"] = key(
        "auto", "auto takes CUDA when torch is installed for it and a GPU is there", applies="load"
    )
    threads: int = key(
        1, "CPU threads per network; stages already run in parallel", ge=1, le=64, applies="load", step=1
    )


class EffectsConfig(Section):
    """What is done to the picture that people see and record; docs/effects.md lists all of it."""

    look: str = key(
        "",
        "effects and presets with commas between, such as 'glam' or 'natural, lipstick=0.3'; empty = none; covers "
        "(blur, pixelate, emoji, black_bar) show the picture 5 frames late",
        title="Effects",
    )

    @field_validator("look")
    @classmethod
    def _known(cls, look: str) -> str:
        """Refuse what no effect is meant by; the effects are loaded only where there is something to check."""
        if look.strip():
            from streamer.effects.presets import parse_effects

            try:
                parse_effects(look)
            except ConfigError as error:
                raise ValueError(str(error)) from None
        return look


class OutputConfig(Section):
    """What is written."""

    folder: Path = key(
        Path("out"),
        "where the demo, pictures and recordings go unless a path is given; left alone, a window takes "
        "your Videos and Pictures folders",
        applies="next",
    )
    record_quality: int = key(
        23,
        "H.264 constant rate factor of recordings; lower is better",
        ge=0,
        le=51,
        title="Recording quality",
        applies="next",
        step=1,
    )


class Config(Section):
    """The whole configuration."""

    source: SourceConfig = SourceConfig()
    detector: DetectorConfig = DetectorConfig()
    tracking: TrackingConfig = TrackingConfig()
    landmarks: LandmarkConfig = LandmarkConfig()
    smoothing: SmoothingConfig = SmoothingConfig()
    runtime: RuntimeConfig = RuntimeConfig()
    effects: EffectsConfig = EffectsConfig()
    output: OutputConfig = OutputConfig()


def load_config(path: Path | str | None = None, overrides: Iterable[str] = ()) -> Config:
    """Read a configuration file and apply ``key=value`` overrides.

    Args:
        path: a YAML file such as the repository's ``config.yaml``; ``None`` takes the defaults. Keys that are
            left out keep their defaults.
        overrides: settings such as ``detector.score=0.7``; values are YAML.

    Raises:
        ConfigError: the file cannot be read, or a key or value is wrong; names it and what is allowed.
    """
    data = {} if path is None else _read_yaml(Path(path))
    named = {_apply(data, override) for override in overrides}
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        in_file = path is not None and tuple(error.errors()[0]["loc"][:2]) not in named
        raise ConfigError(f"{path}: {explain_all(error)}" if in_file else explain_all(error)) from None


def check_section(name: str, kind: type[Section], values: dict[str, Any]) -> None:
    """Check values that did not come from a configuration, as its section would.

    Raises:
        ConfigError: names the wrong key, what was given and what is allowed.
    """
    try:
        kind.model_validate(values)
    except ValidationError as error:
        details = [{**detail, "loc": (name, *detail["loc"])} for detail in error.errors()]
        raise ConfigError("; ".join(_explain(detail) for detail in details)) from None


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        data = read_yaml(path)
    except OSError as error:
        raise ConfigError(f"cannot read the config file {path}: {error.strerror}; check the path") from None
    except YamlError as error:
        hint = "compare it with the repository's config.yaml"
        raise ConfigError(f"{path} is not valid YAML ({error}); {hint}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path} must hold sections such as 'detector:' with their keys indented below")
    # An emptied section ("detector:" with every key deleted) means its defaults.
    return {str(key): {} if value is None else value for key, value in data.items()}


def _apply(data: dict[str, Any], override: str) -> tuple[str, str]:
    """Put an override into ``data``; returns its section and key."""
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or len(parts) != 2 or not all(parts):
        raise ConfigError(f"--set takes section.key=value, for example detector.score=0.7; given was {override!r}")
    group = Config.model_fields.get(parts[0])
    field = None if group is None else section_type(group).model_fields.get(parts[1])
    section = data.setdefault(parts[0], {})
    if isinstance(section, dict):
        section[parts[1]] = typed_value(text, field)
    return parts[0], parts[1]


def explain_all(error: ValidationError) -> str:
    """All complaints of pydantic as one sentence."""
    return "; ".join(_explain(detail) for detail in error.errors())


def _explain(detail: Any) -> str:
    """One clause for one pydantic complaint: the key, what was given, what is allowed."""
    path = [str(part) for part in detail["loc"]]
    key = ".".join(path)
    if detail["type"] == "extra_forbidden":
        section = Config.model_fields.get(path[0])
        names = section_type(section).model_fields if section is not None and len(path) > 1 else Config.model_fields
        close = difflib.get_close_matches(path[-1], names, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"unknown config key '{key}'{hint} (allowed: {', '.join(names)})"
    field = Config.model_fields.get(path[0])
    if detail["type"] == "value_error":
        return f"config key '{key}': {detail['ctx']['error']}"
    given = "a secret" if "password" in key else shown(detail["input"])
    if field is None or len(path) < 2:
        return f"config section '{key}' must hold keys such as 'name: value'; given was {given}"
    wanted = section_type(field).model_fields[path[1]]
    quoted = " (in quotation marks)" if isinstance(detail["input"], int | float) and takes_text(wanted) else ""
    return f"config key '{key}' is {given}; allowed: {allowed(wanted)}{quoted}"


def render_yaml(config: Config) -> str:
    """The configuration as commented YAML: what ``config.yaml`` holds for the defaults.

    Secrets are left out: they belong into the environment or a private file.
    """
    lines = [
        "# facestream's configuration: every key with its default. Written by `python -m streamer.config`.",
        "",
    ]
    for group in Config.model_fields:
        section = getattr(config, group)
        lines.append(f"# {(type(section).__doc__ or '').strip()}")
        lines.append(f"{group}:")
        for name, field in type(section).model_fields.items():
            value = getattr(section, name)
            if isinstance(value, SecretStr):
                value = None
            text = yaml.safe_dump(str(value) if isinstance(value, Path) else value, width=sys.maxsize).splitlines()[0]
            lines.append(f"  {name}: {text}  # {field.description} [{allowed(field)}]")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(render_yaml(Config()))
