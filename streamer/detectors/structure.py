"""The structure string of a backbone: what ``detector.structure`` holds, and how it is read.

A string has five stages separated by ``|``: the stem and ``layer1`` to ``layer4``. A stage is a row of
blocks, a block its kind and width, then ``/2`` where it halves the picture and ``*3`` where three of them
follow each other (only the first halves). Strides 8, 16 and 32, which feed the pyramid, end ``layer2`` to
``layer4``. The kinds:

* ``conv16``: 3×3 convolution.
* ``dw40``: depthwise 3×3, then 1×1 (MobileNetV1).
* ``res48``: residual block of two 3×3 convolutions (ResNet's basic block).
* ``inv40e6``: inverted residual, here six times as wide inside (MobileNetV2).

``conv16/2 dw16 | dw40/2*2 | dw72/2*3 | dw152/2*2 | dw288/2*6`` is SCRFD-0.5G's backbone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from operator import mul
from typing import Literal, cast, get_args

from streamer.errors import ConfigError

Kind = Literal["conv", "dw", "res", "inv"]
STAGES = "stem", "layer1", "layer2", "layer3", "layer4"
"""Their names, also in a state dict."""
LEVEL_STRIDES = 8, 16, 32
"""Strides at which the last three stages end."""
MAX_WIDTH, MAX_EXPANSION, MAX_COUNT = 2048, 16, 64
_BLOCK = re.compile(r"(?P<kind>[a-z]+)(?P<width>\d+)(?:e(?P<expansion>\d+))?(?P<half>/2)?(?:\*(?P<count>\d+))?")
_ALLOWED = (
    "Write five stages separated by |, each of blocks such as dw40/2*3: conv, dw, res or inv, the width "
    f"(1 to {MAX_WIDTH}), for inv e1 to e{MAX_EXPANSION}, /2 where it halves, *1 to *{MAX_COUNT} for several."
)


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a backbone.

    Attributes:
        kind: see the module.
        width: its output channels.
        stride: 1, or 2 where it halves the picture.
        expansion: how many times wider than its input an ``inv`` block is inside; 1 for the others.
    """

    kind: Kind
    width: int
    stride: int
    expansion: int = 1


def parse_structure(text: str) -> tuple[tuple[Block, ...], ...]:
    """Read a structure string.

    Returns:
        The blocks of the stem and of ``layer1`` to ``layer4``.

    Raises:
        ConfigError: it is no such string, or its stages end at other strides; says what is allowed.

    >>> parse_structure("conv8/2 | dw8/2 | res16/2 | inv16e4/2 | dw32/2*2")[4]
    (Block(kind='dw', width=32, stride=2, expansion=1), Block(kind='dw', width=32, stride=1, expansion=1))
    """
    stages = tuple(tuple(block for word in stage.split() for block in _blocks(word)) for stage in text.split("|"))
    if len(stages) != len(STAGES):
        count = f"{len(stages)} stage{'s' if len(stages) != 1 else ''}"
        raise ConfigError(f"detector.structure has {count} instead of {len(STAGES)}. {_ALLOWED}")
    empty = [name for name, stage in zip(STAGES, stages, strict=True) if not stage]
    if empty:
        raise ConfigError(f"detector.structure has no block in {', '.join(empty)}. {_ALLOWED}")
    ends = tuple(accumulate((prod(block.stride for block in stage) for stage in stages), mul))
    if ends[2:] != LEVEL_STRIDES:
        raise ConfigError(
            f"detector.structure ends layer2 to layer4 at the strides {ends[2]}, {ends[3]} and {ends[4]} instead "
            "of 8, 16 and 32: write /2 behind three blocks up to the end of layer2, one of layer3 and one of layer4."
        )
    return stages


def _blocks(word: str) -> list[Block]:
    """The blocks that one word such as ``dw40/2*3`` stands for."""
    match = _BLOCK.fullmatch(word)
    if match is None or match["kind"] not in get_args(Kind):
        raise ConfigError(f"detector.structure has {word!r}, which is no block. {_ALLOWED}")
    kind = cast(Kind, match["kind"])
    if (kind == "inv") != (match["expansion"] is not None):
        raise ConfigError(f"detector.structure has {word!r}: inv, and no other block, takes e and a number. {_ALLOWED}")
    width, expansion, count = (int(match[name] or 1) for name in ("width", "expansion", "count"))
    if not (1 <= width <= MAX_WIDTH and 1 <= expansion <= MAX_EXPANSION and 1 <= count <= MAX_COUNT):
        raise ConfigError(f"detector.structure has {word!r}, which has a number out of bounds. {_ALLOWED}")
    first = Block(kind, width, 2 if match["half"] else 1, expansion)
    return [first] + [Block(kind, width, 1, expansion)] * (count - 1)
