"""The typed configuration: every key with its default, bounds, unit and one line of help.

``config.yaml`` in the repository is this schema rendered (``python -m streamer.config``); forms in the
window are generated from it too, so a new key is added here and nowhere else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from streamer.errors import ConfigError


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
    connect_timeout: float = Field(5.0, gt=0, le=120, description="longest wait for a connection", json_schema_extra=unit("s"))
    read_timeout: float = Field(5.0, gt=0, le=120, description="longest wait for the next frame", json_schema_extra=unit("s"))
    image_seconds: float = Field(
        0.04, gt=0, le=60, description="how long each picture of a folder is shown", json_schema_extra=unit("s")
    )


class DetectorConfig(Section):
    """How faces are found."""

    name: Literal["retinaface", "retinaface_resnet50", "mtcnn"] = Field("retinaface", description="which network finds faces")
    weights: Path | None = Field(
        None, description="your own weights file, e.g. Resnet50_Final.pth; required for retinaface_resnet50"
    )
    max_side: int = Field(
        640, ge=64, le=4096, description="longest side the frame is shrunk to before detection", json_schema_extra=unit("px")
    )
    score: float = Field(0.6, gt=0, lt=1, description="lowest score that counts as a face")
    nms: float = Field(0.4, gt=0, lt=1, description="overlap (IoU) above which two boxes are one face")
    min_face: int = Field(16, ge=1, le=2000, description="smallest face side kept", json_schema_extra=unit("frame px"))
    rotations: bool = Field(True, description="also look for faces turned sideways and upside down")


class TrackingConfig(Section):
    """How faces are followed between detections."""

    max_faces: int = Field(16, ge=1, le=256, description="most faces followed at once; the largest win")
    detect_every: int = Field(5, ge=1, le=300, description="frames between detections while anything is changing")
    steady_interval: float = Field(
        0.4, ge=0, le=0.5, description="time between detections while the scene is steady", json_schema_extra=unit("s")
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
    strength: float = Field(
        0.5, ge=0, le=1, description="0 follows at once and trembles, 1 is steadiest and lags most"
    )


class RuntimeConfig(Section):
    """Where the networks run."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes CUDA when torch is installed for it and a GPU is there")
    threads: int = Field(1, ge=1, le=64, description="CPU threads per network; stages already run in parallel")


class OutputConfig(Section):
    """What is written."""

    folder: Path = Field(Path("out"), description="where the demo, pictures and recordings go unless a path is given")
    record_quality: int = Field(23, ge=0, le=51, description="H.264 constant rate factor of recordings; lower is better")


class Config(Section):
    """The whole configuration."""

    source: SourceConfig = SourceConfig()
    detector: DetectorConfig = DetectorConfig()
    tracking: TrackingConfig = TrackingConfig()
    landmarks: LandmarkConfig = LandmarkConfig()
    smoothing: SmoothingConfig = SmoothingConfig()
    runtime: RuntimeConfig = RuntimeConfig()
    output: OutputConfig = OutputConfig()
