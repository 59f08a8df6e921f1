from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from trackers.association import assign, pair_followed, pair_lost, pairwise_iou


def test_iou_of_known_boxes() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    expected = [[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(pairwise_iou(boxes, boxes), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 2), (3, 3), (4, 5), (5, 5)])
def test_assignment_is_the_cheapest_of_all(shape: tuple[int, int]) -> None:
    for seed in range(20):
        cost = np.random.default_rng(seed).uniform(0, 3, shape)
        pairs = assign(cost, np.ones(shape, bool))
        wide = cost if shape[0] <= shape[1] else cost.T
        best = min(
            sum(wide[i, j] for i, j in enumerate(columns)) for columns in permutations(range(wide.shape[1]), len(wide))
        )
        assert len(pairs) == min(shape)
        assert sum(cost[i, j] for i, j in pairs) == pytest.approx(best)


def test_forbidden_pairs_never_form_and_do_not_cost_others_their_partner() -> None:
    cost = np.array([[0.1, 0.2], [0.1, 9.0]])
    allowed = np.array([[True, True], [True, False]])
    assert assign(cost, allowed) == [(0, 1), (1, 0)]
    assert assign(cost, np.zeros((2, 2), bool)) == []


def test_nothing_to_pair() -> None:
    none, one = np.zeros((0, 4)), np.array([[0.0, 0.0, 9.0, 9.0]])
    assert pair_followed(none, one, 0.3) == pair_followed(one, none, 0.3) == []
    assert pair_lost(none, none, np.zeros(0), one) == pair_lost(one, one, np.ones(1), none) == []


def test_a_lost_face_is_recognised_near_its_last_place_or_on_its_way_but_not_far_off_or_in_another_size() -> None:
    last, coasted = np.array([[0.0, 0.0, 100.0, 100.0]]), np.array([[300.0, 0.0, 400.0, 100.0]])
    hidden = np.array([0.5])
    for x, size, found in [(20, 100, True), (320, 110, True), (900, 100, False), (20, 220, False)]:
        box = np.array([[x, 0, x + size, size]], float)
        assert bool(pair_lost(last, coasted, hidden, box)) is found, (x, size)
