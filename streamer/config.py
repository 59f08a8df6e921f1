"""The typed configuration: every key with its default, bounds, unit and one line of help.

``config.yaml`` in the repository is this schema rendered (``python -m streamer.config``); forms in the
window are generated from it too, so a new key is added here and nowhere else.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from streamer.errors import ConfigError

_SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # LibYAML, where PyYAML has been built with it


SCRFD_05G = "conv16/2 dw16 | dw40/2*2 | dw72/2*3 | dw152/2*2 | dw288/2*6"
"""Backbone of SCRFD-0.5G (Guo et al., ICLR 2022); see :mod:`streamer.detectors.structure`."""


class Section(BaseModel):
    """A group of keys: immutable, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def unit(name: str) -> dict[str, Any]:
    """Schema metadata: the unit shown beside a key in ``config.yaml`` and in forms."""
    return {"unit": name}


class SourceConfig(Section):
    """Where the video comes from."""

    default: str = Field("auto", description="source when none is named: auto (first webcam, else demo) or any source")
    pace: Literal["auto", "realtime", "fastest"] = Field(
        "auto", description="files: realtime as a player, fastest as a batch job; auto = realtime in a window"
    )
    loop: bool = Field(False, description="start a file, folder or the demo again at its end")
    start: float = Field(0.0, ge=0, description="where in a file to start", json_schema_extra=unit("s"))
    rtsp_transport: Literal["tcp", "udp"] = Field("tcp", description="how RTSP media travels")
    username: str | None = Field(None, description="user for network sources; or FACESTREAM_USERNAME, or in the URL")
    password: SecretStr | None = Field(
        None, description="password for network sources; or FACESTREAM_PASSWORD, or in the URL; never logged"
    )
    connect_timeout: float = Field(
        5.0, gt=0, le=120, description="longest wait for a connection", json_schema_extra=unit("s")
    )
    read_timeout: float = Field(
        5.0, gt=0, le=120, description="longest wait for the next frame", json_schema_extra=unit("s")
    )
    image_seconds: float = Field(
        0.04,
        gt=0,
        le=60,
        description="how long each picture of a folder is shown",
        json_schema_extra=unit("s"),
    )


class DetectorConfig(Section):
    """How faces are found."""

    name: Literal["retinaface", "retinaface_resnet50", "mtcnn", "tinymog"] = Field(
        "retinaface", description="which network finds faces"
    )
    weights: Path | None = Field(
        None, description="your own weights file, e.g. Resnet50_Final.pth; required for retinaface_resnet50 and tinymog"
    )
    structure: str = Field(
        SCRFD_05G, description="blocks of the backbone that your tinymog weights have, stage by stage"
    )
    # Chosen with benchmarks/detector_size.py: 640 finds 1.4 % more faces of the clips for 1.6 times the time.
    max_side: int = Field(
        512,
        ge=64,
        le=4096,
        description="longest side the frame is shrunk to before detection",
        json_schema_extra=unit("px"),
    )
    score: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="lowest score that counts as a face; null = its own, 0.7 or tinymog's 0.3",
    )
    nms: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="overlap (IoU) above which two boxes are one face; null = its own, 0.4 or tinymog's 0.45",
    )
    min_face: int = Field(16, ge=1, le=2000, description="smallest face side kept", json_schema_extra=unit("frame px"))
    rotations: bool = Field(True, description="also look for faces turned sideways and upside down")


class TrackingConfig(Section):
    """How faces are followed between detections."""

    max_faces: int = Field(16, ge=1, le=256, description="most faces followed at once; the largest win")
    detect_every: int = Field(5, ge=1, le=300, description="frames between detections while anything is changing")
    steady_interval: float = Field(
        0.45,
        ge=0,
        le=0.5,
        description="time between detections while the scene is steady",
        json_schema_extra=unit("s"),
    )
    confirm_hits: int = Field(3, ge=1, le=30, description="sightings before a new face is shown and gets an id")
    max_lost: float = Field(
        1.0, ge=0, le=10, description="how long a hidden face keeps its id", json_schema_extra=unit("s")
    )


class LandmarkConfig(Section):
    """The 106 points and the pose."""

    weights: Path | None = Field(None, description="your own landmark weights (.onnx or .safetensors); none = ours")
    passes: int = Field(3, ge=1, le=6, description="passes of the network over a newly found face")
    presence: float = Field(
        0.5, gt=0, lt=1, description="probability of a real face below which a track is doubted and checked"
    )


class SmoothingConfig(Section):
    """How much the points are steadied."""

    kind: Literal["one_euro", "kalman", "none"] = Field("one_euro", description="which filter steadies points and pose")
    strength: float = Field(0.5, ge=0, le=1, description="0 follows at once and trembles, 1 is steadiest and lags most")


class RuntimeConfig(Section):
    """Where the networks run."""

    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="auto takes CUDA when torch is installed for it and a GPU is there"
    )
    threads: int = Field(1, ge=1, le=64, description="CPU threads per network; stages already run in parallel")


class OutputConfig(Section):
    """What is written."""

    folder: Path = Field(Path("out"), description="where the demo, pictures and recordings go unless a path is given")
    record_quality: int = Field(
        23, ge=0, le=51, description="H.264 constant rate factor of recordings; lower is better"
    )


class Config(Section):
    """The whole configuration."""

    source: SourceConfig = SourceConfig()
    detector: DetectorConfig = DetectorConfig()
    tracking: TrackingConfig = TrackingConfig()
    landmarks: LandmarkConfig = LandmarkConfig()
    smoothing: SmoothingConfig = SmoothingConfig()
    runtime: RuntimeConfig = RuntimeConfig()
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
    for override in overrides:
        _apply(data, override)
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError("; ".join(_explain(detail) for detail in error.errors())) from None


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
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_SAFE_LOADER)
    except OSError as error:
        raise ConfigError(f"cannot read the config file {path}: {error.strerror}; check the path") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where else ""
        raise ConfigError(f"{path} is not valid YAML{line}; compare it with the repository's config.yaml") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path} must hold sections such as 'detector:', not a {type(data).__name__}")
    # An emptied section ("detector:" with every key deleted) means its defaults.
    return {key: {} if value is None else value for key, value in data.items()}


def _apply(data: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or len(parts) != 2 or not all(parts):
        raise ConfigError(f"--set takes section.key=value, for example detector.score=0.7; given was {override!r}")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    section = data.setdefault(parts[0], {})
    if isinstance(section, dict):
        section[parts[1]] = value


def _explain(detail: Any) -> str:
    """One clause for one pydantic complaint: the key, what was given, what is allowed."""
    path = [str(part) for part in detail["loc"]]
    key = ".".join(path)
    if detail["type"] == "extra_forbidden":
        section = Config.model_fields.get(path[0])
        names = _section_type(section).model_fields if section is not None and len(path) > 1 else Config.model_fields
        close = difflib.get_close_matches(path[-1], names, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"unknown config key '{key}'{hint} (allowed: {', '.join(names)})"
    field = Config.model_fields.get(path[0])
    given = "a secret" if "password" in key else repr(detail["input"])
    if field is None or len(path) < 2:
        return f"config section '{key}' must hold keys such as 'name: value'; given was {given}"
    return f"config key '{key}' is {given}; allowed: {allowed(_section_type(field).model_fields[path[1]])}"


def _section_type(field: FieldInfo) -> type[Section]:
    kind = field.annotation
    if not (isinstance(kind, type) and issubclass(kind, Section)):
        raise TypeError(f"{kind} is no config section")
    return kind


def allowed(field: FieldInfo) -> str:
    """What a field accepts, in words: choices, type, bounds and unit.

    >>> allowed(DetectorConfig.model_fields["score"])
    'number above 0 and below 1, or null'
    """
    kinds = [kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not type(None)]
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(str(choice) for choice in kinds)
    names = {
        float: "number",
        int: "whole number",
        bool: "true or false",
        str: "text",
        Path: "path",
        SecretStr: "text",
    }
    words = [names[kinds[0]]]
    signs = (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "below"))
    bounds = [f"{word} {value:g}" for sign, word in signs if (value := _bound(field, sign)) is not None]
    words.append(" ".join(bounds) if not any(b.startswith("below") for b in bounds) else " and ".join(bounds))
    extra = field.json_schema_extra
    words.append(str(extra["unit"]) if isinstance(extra, dict) else "")
    sentence = " ".join(word for word in words if word)
    return sentence + (", or null" if len(kinds) < len(get_args(field.annotation)) else "")


def _bound(field: FieldInfo, sign: str) -> float | None:
    return next((getattr(m, sign) for m in field.metadata if hasattr(m, sign)), None)


def render_yaml(config: Config) -> str:
    """The configuration as commented YAML: what ``config.yaml`` holds for the defaults.

    Secrets are left out: they belong into the environment or a private file.
    """
    lines = [
        "# facestream's configuration: every key with its default. Written by `python -m streamer.config`.",
        "",
    ]
    for name in Config.model_fields:
        section = getattr(config, name)
        lines.append(f"# {(type(section).__doc__ or '').strip()}")
        lines.append(f"{name}:")
        for key, field in type(section).model_fields.items():
            value = getattr(section, key)
            if isinstance(value, SecretStr):
                value = None
            text = yaml.safe_dump(str(value) if isinstance(value, Path) else value, width=sys.maxsize).splitlines()[0]
            lines.append(f"  {key}: {text}  # {field.description} [{allowed(field)}]")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(render_yaml(Config()))
