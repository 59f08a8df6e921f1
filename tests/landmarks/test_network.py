"""The torch network: its size, its names, strict loading, and errors in plain words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from streamer.errors import WeightsError
from streamer.landmarks.network import PARAMETERS, LandmarkNetwork, load_network
from streamer.landmarks.presence import load_presence
from streamer.landmarks.topology import CONTOURS, GROUPS, MEAN_FACE, MEAN_SHAPE_3D, MIRROR, SUBSET_68, flip_landmarks
from streamer.runtime.states import save_state
from streamer.runtime.weights import own_weights

OURS = own_weights("landmarks106.safetensors")


def test_has_exactly_the_published_number_of_parameters() -> None:
    assert sum(p.numel() for p in LandmarkNetwork().parameters()) == PARAMETERS == 266_427


def test_state_dict_names_are_the_published_ones() -> None:
    names = {name for name in LandmarkNetwork().state_dict() if not name.endswith("num_batches_tracked")}
    assert names == set(load_file(OURS))
    assert {"backbone.conv1.conv.0.weight", "backbone.conv14.conv.7.running_var"} <= names
    assert {"keypoint_head.branches.0.2.2.weight", "pose_head.branches.0.4.1.bias"} <= names
    assert not any("mean_face" in name for name in names)


def test_a_published_checkpoint_with_counters_and_wrapping_loads(tmp_path: Path) -> None:
    network = load_network(OURS)
    state = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
    path = tmp_path / "published.pth"
    torch.save({"state_dict": state, "epoch": 3}, path)
    again = load_network(path)
    x = torch.rand(2, 3, 96, 96)
    torch.testing.assert_close(again(x), network(x))


def test_saving_and_loading_keeps_every_number(tmp_path: Path) -> None:
    network = load_network(OURS)
    save_state(network, tmp_path / "saved.safetensors", {"model": "test"})
    saved = load_file(tmp_path / "saved.safetensors")
    assert all(torch.equal(tensor, saved[name]) for name, tensor in load_file(OURS).items())


def test_weights_that_do_not_fit_say_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nowhere\.safetensors"):
        load_network(tmp_path / "nowhere.safetensors")
    truncated = tmp_path / "truncated.safetensors"
    truncated.write_bytes(OURS.read_bytes()[:5000])
    with pytest.raises(WeightsError, match="damaged"):
        load_network(truncated)
    with pytest.raises(WeightsError, match="another network"):
        load_network(own_weights("presence.safetensors"))
    with pytest.raises(WeightsError, match="another network"):
        load_presence(OURS)
    state = load_file(OURS)
    state.pop("backbone.conv1.conv.0.weight")
    save_file(state, tmp_path / "incomplete.safetensors")
    with pytest.raises(WeightsError, match="1 missing"):
        load_network(tmp_path / "incomplete.safetensors")


def test_mirror_is_an_involution_that_fits_the_mean_face() -> None:
    assert np.array_equal(MIRROR[MIRROR], np.arange(106))
    flipped = flip_landmarks(MEAN_FACE * 96, 97)
    assert np.abs(flipped - MEAN_FACE * 96).max() < 0.2
    assert np.abs(MEAN_SHAPE_3D[MIRROR, 0] + MEAN_SHAPE_3D[:, 0]).max() < 0.02


def test_groups_and_contours_cover_the_points() -> None:
    assert sorted(i for part in GROUPS.values() for i in range(106)[part]) == list(range(106))
    drawn = np.concatenate([indices for indices, _ in CONTOURS])
    assert set(range(106)) - set(drawn.tolist()) == {74, 83, 104, 105}
    assert len(SUBSET_68) == len(set(SUBSET_68.tolist())) == 68


@pytest.mark.parametrize("constant", [MEAN_FACE, MIRROR, SUBSET_68])
def test_shared_constants_cannot_be_changed_by_accident(constant: np.ndarray) -> None:
    with pytest.raises(ValueError, match="read-only"):
        constant[0] = 0
