"""``facestream evaluate …``: each command's arguments; the work is imported when a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamer.config import load_config
from streamer.options import EffectsOption, MeasuringConfigOption, SetOption, with_option
from streamer.sinks.base import refuse_unwritable

ClipsArgument = Annotated[list[str], typer.Argument(metavar="CLIP...", help="Video files.", show_default=False)]
JsonOption = Annotated[Path | None, typer.Option(help="Write the results to this file.", show_default=False)]
MaxFramesOption = Annotated[
    int | None, typer.Option(min=1, help="Use no more frames of each clip.", show_default=False)
]


def jitter(
    clips: ClipsArgument,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw flicker against lag over all strengths into this .png.", show_default=False),
    ] = None,
    json: JsonOption = None,
    max_frames: Annotated[
        int | None, typer.Option(min=3, help="Use no more frames of each clip.", show_default=False)
    ] = None,
    config: MeasuringConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Measure how steady the landmarks are on clips, and how far smoothing lets them lag."""
    from streamer.console import open_console
    from streamer.evaluation.jitter import evaluate_jitter

    _refuse_unwritable(plot, json)
    chosen = load_config(config, settings or [])
    evaluate_jitter(clips, chosen, max_frames=max_frames, plot=plot, json=json, console=open_console())


def effects(
    clips: ClipsArgument,
    effects: EffectsOption = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Draw faces before and after into this .png.", show_default=False)
    ] = None,
    json: JsonOption = None,
    max_frames: MaxFramesOption = None,
    config: MeasuringConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Measure what effects take away from skin, leave of eyes and lips, add of flicker, and cost."""
    from streamer.console import open_console
    from streamer.effects import Effects
    from streamer.evaluation.effects import evaluate_effects

    _refuse_unwritable(sheet, json)
    chosen = with_option(load_config(config, settings or []), "--effects", "effects.look", effects)
    looks = Effects.parse(chosen.effects.look)
    console = open_console()
    evaluate_effects(clips, looks, chosen, max_frames=max_frames, sheet=sheet, json=json, console=console)


def covers(
    clips: ClipsArgument,
    effects: EffectsOption = None,
    json: JsonOption = None,
    max_frames: MaxFramesOption = None,
    config: MeasuringConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Count the faces that show although blur, pixelate, emoji or black_bar is to hide them: none is the aim.

    A detector that sees every frame at full size judges. Without --effects, pixelate is measured.
    """
    from streamer.console import open_console
    from streamer.evaluation.covers import evaluate_covers

    _refuse_unwritable(json)
    chosen = with_option(load_config(config, settings or []), "--effects", "effects.look", effects)
    evaluate_covers(clips, chosen, max_frames=max_frames, json=json, console=open_console())


DataOption = Annotated[
    Path,
    typer.Option(help="Folder with labels.npz and shards, or pictures with a JSON file each.", show_default=False),
]
WeightsOption = Annotated[
    Path | None, typer.Option(help="Network to measure: .onnx, .safetensors or .pth; none: ours.", show_default=False)
]
AgainstOption = Annotated[Path | None, typer.Option(help="Second network to compare with.", show_default=False)]
OutOption = Annotated[Path | None, typer.Option(help="Folder for JSON and pictures.", show_default=False)]
HoldOutOption = Annotated[str, typer.Option(help="Groups held out by name, as in training; commas between.")]
FractionOption = Annotated[
    float, typer.Option(min=0, max=1, help="Share of groups held out in training; 1 measures all.")
]
OnlyOption = Annotated[str, typer.Option(help="Measure these groups alone; commas between.")]
YawOption = Annotated[float, typer.Option(min=0, help="Leave out faces turned further, in degrees.")]
PitchOption = Annotated[float, typer.Option(min=0, help="Leave out faces tilted further, in degrees.")]


def landmarks(
    data: DataOption,
    weights: WeightsOption = None,
    against: AgainstOption = None,
    out: OutOption = None,
    hold_out: HoldOutOption = "",
    hold_fraction: FractionOption = 0.06,
    only: OnlyOption = "",
    max_yaw: YawOption = 180.0,
    max_pitch: PitchOption = 180.0,
) -> None:
    """Measure the points on labelled faces: by part, by angle, and with difficulties; draw the worst."""
    from streamer.evaluation.landmarks import Selection, evaluate_landmarks

    selection = Selection(data, hold_fraction, _names(hold_out), _names(only), max_yaw, max_pitch)
    evaluate_landmarks(selection, weights, against, out)


def pose(
    data: DataOption,
    weights: WeightsOption = None,
    against: AgainstOption = None,
    out: OutOption = None,
    hold_out: HoldOutOption = "",
    hold_fraction: FractionOption = 0.06,
    only: OnlyOption = "",
    max_yaw: YawOption = 180.0,
    max_pitch: PitchOption = 180.0,
) -> None:
    """Measure the head pose on labelled faces, by angle and by bin."""
    from streamer.evaluation.landmarks import Selection, evaluate_pose

    selection = Selection(data, hold_fraction, _names(hold_out), _names(only), max_yaw, max_pitch)
    evaluate_pose(selection, weights, against, out)


def detection(
    clips: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLIP]...", help="Video files, to follow faces through.", show_default=False),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with annotations.json and images.tar.", show_default=False)
    ] = None,
    wider: Annotated[
        Path | None, typer.Option(help="WIDER_val, with images/ in it: the official protocol.", show_default=False)
    ] = None,
    gt: Annotated[
        Path | None, typer.Option(help="For --wider: folder with the official .mat files.", show_default=False)
    ] = None,
    detector: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[=WEIGHTS]", help="Detector to measure; repeat to compare.", show_default=False),
    ] = None,
    max_side: Annotated[
        int | None, typer.Option(min=64, max=4096, help="Longest side pictures are shrunk to.", show_default=False)
    ] = None,
    scale: Annotated[
        str | None, typer.Option(metavar="vga|original", help="Or: fit 640 x 480, or as they are.", show_default=False)
    ] = None,
    out: OutOption = None,
    config: MeasuringConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Measure how well and how fast detectors find faces: AP by size, mask and roll, or by WIDER FACE's protocol.

    With --data, one photograph of four is measured, chosen by its name: those that training holds out. Clips need
    no annotation: several detectors follow their faces as in `facestream run`, and are measured by each other.
    """
    from streamer.evaluation.detection import PROTOCOL, evaluate_detection

    evaluate_detection(
        load_config(config, [*(() if clips else PROTOCOL), *(settings or [])]),
        clips=clips or [],
        data=data,
        wider=wider,
        gt=gt,
        detectors=detector or [],
        max_side=max_side,
        scale=scale,
        out=out,
    )


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def _refuse_unwritable(*outputs: Path | None) -> None:
    """Refuse outputs that cannot be written before the long work whose results they are to hold."""
    for path in outputs:
        if path is not None:
            refuse_unwritable(path)
