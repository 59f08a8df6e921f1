"""Structure strings: every block is said, and a wrong string is refused with what is allowed."""

from __future__ import annotations

import pytest

from streamer.config import SCRFD_05G
from streamer.detectors.structure import Block, parse_structure
from streamer.errors import ConfigError

SMALL = "conv4/2 | dw4/2 | dw4/2 | dw4/2 | dw4/2"


def test_a_structure_string_says_every_block() -> None:
    stem, *layers = parse_structure(SCRFD_05G)
    assert stem == (Block("conv", 16, 2), Block("dw", 16, 1))
    assert [(len(layer), layer[0].width) for layer in layers] == [(2, 40), (3, 72), (2, 152), (6, 288)]
    assert all([block.stride for block in layer] == [2] + [1] * (len(layer) - 1) for layer in layers)
    assert parse_structure("conv8/2 inv8e1 | inv12e6/2*2 | inv16e6/2*2 | inv24e4/2 | inv24e4/2*2")[2] == (
        Block("inv", 16, 2, 6),
        Block("inv", 16, 1, 6),
    )


@pytest.mark.parametrize(
    ("structure", "words"),
    [
        ("", "1 stage instead of 5.*five stages separated by"),
        ("conv4/2 | dw4/2 | dw4/2 | dw4/2", "4 stages instead of 5"),
        ("conv4/2 | dw4/2 | | dw4/2 | dw4/2", "no block in layer2"),
        (SMALL.replace("conv", "swin"), "'swin4/2', which is no block.*conv, dw, res or inv"),
        (SMALL.replace("conv4/2", "conv/2"), "'conv/2'"),
        (SMALL.replace("conv4/2", "conv4/3"), "'conv4/3'"),
        (SMALL.replace("conv4/2", "conv0/2"), r"'conv0/2', which has a number out of bounds.*1 to 2048"),
        (SMALL.replace("conv4/2", "conv99999/2"), "out of bounds"),
        (SMALL.replace("conv4/2", "conv4/2*65"), r"out of bounds.*\*1 to \*64"),
        (SMALL.replace("conv4/2", "conv4e2/2"), "inv, and no other block"),
        (SMALL.replace("conv4/2", "inv4/2"), "inv, and no other block"),
        (SMALL.replace("conv4/2", "inv4e17/2"), "e1 to e16"),
        (SMALL.replace("conv4/2", "conv4"), "strides 4, 8 and 16 instead of 8, 16 and 32"),
    ],
)
def test_a_wrong_structure_is_refused_with_what_is_allowed(structure: str, words: str) -> None:
    with pytest.raises(ConfigError, match=r"detector\.structure.*" + words):
        parse_structure(structure)
