"""The presence head's training: it learns, leaves out what nobody sees, and is measured and calibrated as it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from streamer.landmarks.presence import INPUTS, PresenceHead
from streamer.training.presence import fit
from streamer.training.presence.examples import About, Examples, select
from streamer.training.presence.scores import calibrate, measure, operating_points


def made_examples(count: int) -> Examples:
    """Noise in which the mean of the last inputs tells faces from others, except for a third of faces nobody sees."""
    rng, numbers = np.random.default_rng(0), np.arange(count)
    labels, hidden = rng.random(count) < 0.4, rng.random(count) < 0.33
    inputs = rng.normal(0, 1, (count, INPUTS)).astype(np.float16)
    inputs[labels & ~hidden, -200:] += 1
    sight = np.where(labels & ~hidden, 2, 0)
    sizes = np.where(labels, 30.0 + numbers % 40, 0).astype(np.float32)
    masked, photographs = labels & (numbers % 2 == 0), hidden | (numbers % 3 > 0)
    return Examples(inputs, About(labels, numbers % 3, sight, sizes, masked, photographs, numbers % 5 == 0))


def test_the_head_learns_and_is_measured_on_what_was_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "_EPOCHS", (1, 4))
    monkeypatch.setattr(fit, "_BATCH", 64)
    examples = made_examples(800)
    head = fit.train(examples, seed=0)
    rows = np.flatnonzero(examples.about.held_out)
    held = select(examples.about, rows)
    logits = fit.judge(head, examples, rows)
    logits = logits - calibrate(head, logits, torch.from_numpy(held.labels))
    figures = measure(logits, held)
    assert figures["roc_confirmed"][3]["missed"] < 0.1
    assert figures["roc"][3]["missed"] > 0.2
    halves = figures["at_one_half"]
    assert halves["photographs"]["false_accepts"] < 0.03
    masked, bare, both = (halves[name] for name in ("both see it, masked", "both see it, not masked", "both see it"))
    assert masked["faces"] + bare["faces"] == both["faces"] < halves["photographs"]["faces"]


def test_calibration_puts_one_percent_above_one_half() -> None:
    torch.manual_seed(0)
    labels = (torch.arange(3000) % 3 == 0).float()
    logits = torch.randn(3000) + 4 * labels
    head = PresenceHead()
    before = head.layers[-1].bias.item()
    shift = calibrate(head, logits, labels)
    assert head.layers[-1].bias.item() == pytest.approx(before - shift)
    assert ((logits - shift)[labels == 0] > 0).float().mean().item() == pytest.approx(0.01, abs=0.001)
    missed = [point["missed"] for point in operating_points(logits, labels)]
    assert missed == sorted(missed, reverse=True)
