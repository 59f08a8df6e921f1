"""Which anchor learns what, and the losses on it: constructed cases with known answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from streamer.detectors.tinymog import decode
from streamer.detectors.tinymog_network import Level, TinyMogNetwork
from streamer.training.detection.anchors import SIDES, anchor_table
from streamer.training.detection.assign import NO_HINTS, Hints, assign, atss
from streamer.training.detection.batches import to_batch
from streamer.training.detection.cut import Sample
from streamer.training.detection.losses import Targets, detection_loss, diou, quality_focal
from streamer.training.detection.trainer import normalise

NONE = np.zeros((0, 4), np.float32)
ANCHORS = anchor_table(320, 320)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def hints(*rows: tuple[float, float, int, float, int]) -> Hints:
    """Rows of x, y, kind, score, face."""
    table = np.array(rows)
    return Hints(
        table[:, :2].astype(np.float32),
        table[:, 2].astype(np.intp),
        table[:, 3].astype(np.float32),
        table[:, 4].astype(np.intp),
    )


def naive_atss(boxes: np.ndarray) -> dict[int, int]:
    """The paper's algorithm, face by face."""
    best: dict[int, tuple[float, int]] = {}
    for face, box in enumerate(boxes):
        middle = (box[:2] + box[2:]) / 2
        candidates: list[int] = []
        for stride in (8, 16, 32):
            level = np.flatnonzero(ANCHORS.strides == stride)
            distance = ((ANCHORS.centres[level] - middle) ** 2).sum(axis=1)
            candidates += level[np.argsort(distance, kind="stable")[:9]].tolist()
        overlaps = []
        for anchor in candidates:
            half = ANCHORS.sides[anchor] / 2
            low, high = ANCHORS.centres[anchor] - half, ANCHORS.centres[anchor] + half
            common = np.prod(np.clip(np.minimum(box[2:], high) - np.maximum(box[:2], low), 0, None))
            overlaps.append(common / (np.prod(box[2:] - box[:2]) + (2 * half) ** 2 - common))
        threshold = np.mean(overlaps) + np.std(overlaps, ddof=1)
        for anchor, overlap in zip(candidates, overlaps, strict=True):
            x, y = ANCHORS.centres[anchor]
            if overlap >= threshold and min(x - box[0], y - box[1], box[2] - x, box[3] - y) > 0.01:
                best[anchor] = max(best.get(anchor, (0.0, -1)), (float(overlap), face))
    return {anchor: face for anchor, (_, face) in best.items()}


def test_anchors_are_in_the_networks_order() -> None:
    assert len(ANCHORS.sides) == sum(level.scores.shape[1] for level in TinyMogNetwork()(torch.zeros(1, 3, 320, 320)))
    kinds = np.searchsorted(SIDES, ANCHORS.sides)
    assert (ANCHORS.nearest(ANCHORS.centres, kinds) == np.arange(len(kinds))).all()
    assert ANCHORS.centres[:4].tolist() == [[0, 0], [0, 0], [8, 0], [8, 0]]
    assert ANCHORS.nearest(np.array([[400.0, -9.0]], np.float32), np.array([5]))[0] == 3200 + 800 + 19


def test_atss_agrees_with_the_plain_algorithm() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        corner = rng.uniform(0, 260, (8, 2))
        faces = np.hstack([corner, np.minimum(corner + np.exp(rng.uniform(np.log(20), np.log(200), (8, 1))), 320)])
        anchors, owners = atss(ANCHORS, faces.astype(np.float32))
        assert dict(zip(anchors.tolist(), owners.tolist(), strict=True)) == naive_atss(faces.astype(np.float32))


def test_a_face_gets_anchors_of_its_size_inside_it() -> None:
    box = boxes((100, 100, 164, 164))
    anchors, faces = atss(ANCHORS, box)
    assert len(anchors)
    assert not faces.any()
    assert set(ANCHORS.sides[anchors]) == {64}
    assert ((ANCHORS.centres[anchors] > 100) & (ANCHORS.centres[anchors] < 164)).all()


def test_tiny_faces_between_centres_and_none_at_all() -> None:
    anchors, faces = atss(ANCHORS, boxes((1.5, 1.5, 7.0, 7.0), (312, 312, 320, 320)))
    assert sorted(faces.tolist()) == [0, 1]
    assert set(ANCHORS.sides[anchors]) == {16}
    assert len(atss(ANCHORS, NONE)[0]) == 0


def test_an_anchor_goes_to_the_face_it_overlaps_most() -> None:
    anchors, faces = atss(ANCHORS, boxes((96, 96, 128, 128), (100, 96, 132, 128)))
    assert len(set(anchors.tolist())) == len(anchors)
    assert set(faces.tolist()) == {0, 1}
    nearest = ANCHORS.nearest(np.array([[112.0, 112.0]], np.float32), np.array([1]))[0]
    assert faces[anchors == nearest].tolist() == [0]


def test_ignored_places_are_left_out_but_faces_in_them_stay() -> None:
    face, place = boxes((40, 40, 72, 72)), boxes((32, 32, 80, 80), (200, 200, 203, 203))
    part = assign(ANCHORS, face, place, NO_HINTS)
    inside = ((ANCHORS.centres >= 32) & (ANCHORS.centres <= 80)).all(axis=1)
    own = np.isin(np.arange(len(inside)), part.anchors)
    assert part.counted[own].all()
    assert own.any()
    assert not part.counted[inside & ~own].any()
    tiny = (np.abs(ANCHORS.centres - 201.5).max(axis=1) <= 5) & (ANCHORS.strides == 8)
    assert tiny.any()
    assert not part.counted[tiny].any()
    assert part.counted.mean() > 0.9


def test_the_teachers_anchors_join_or_are_left_out() -> None:
    face = boxes((100, 100, 164, 164))
    own = assign(ANCHORS, face, NONE, NO_HINTS)
    told = hints((160, 160, 2, 0.8, 0), (130, 130, 2, 0.4, 0), (300, 20, 1, 0.9, -1))
    part = assign(ANCHORS, face, NONE, told)
    rim, middle, stranger = ANCHORS.nearest(told.centres, told.kinds).tolist()
    assert set(part.anchors.tolist()) == {*own.anchors.tolist(), rim}
    confidence = dict(zip(part.anchors.tolist(), part.confidence.tolist(), strict=True))
    assert confidence[rim] == pytest.approx(0.8)
    assert confidence[middle] == 1.0, "annotation wins over the teacher"
    assert not part.counted[stranger]
    assert (~part.counted).sum() == 1
    assert not np.isin(rim, assign(ANCHORS, face, boxes((150, 150, 170, 170)), told).anchors)


def test_diou_of_known_boxes() -> None:
    one = torch.tensor([[0.0, 0, 2, 2]]).repeat(3, 1)
    other = torch.tensor([[0.0, 0, 2, 2], [1, 0, 3, 2], [2, 2, 4, 4]])
    iou, value = diou(one, other)
    assert iou.tolist() == pytest.approx([1, 1 / 3, 0])
    assert value.tolist() == pytest.approx([1, 1 / 3 - 1 / 13, -8 / 32])


def test_quality_focal_loss_is_least_at_the_goal() -> None:
    goal = torch.tensor(0.7)
    logits = torch.linspace(-4, 4, 801, requires_grad=True)
    loss = quality_focal(logits, goal.expand_as(logits))
    assert torch.sigmoid(logits[loss.argmin()]).item() == pytest.approx(0.7, abs=0.01)
    loss.sum().backward()
    assert logits.grad is not None
    assert (logits.grad[logits < 0.5] < 0).all()
    assert (logits.grad[logits > 1.2] > 0).all()


def sample(points: bool = True) -> Sample:
    face = boxes((96, 96, 160, 160))
    keypoints = np.array([[[110, 118], [146, 118], [128, 132], [114, 146], [142, 146]]], np.float32)
    image = np.zeros((320, 320, 3), np.uint8)
    image[96:160, 96:160] = 200
    told = hints((104, 152, 2, 0.6, 0))
    return Sample(image, face, keypoints if points else keypoints * np.nan, boxes((250, 250, 300, 300)), told)


def loss_of(samples: list[Sample], network: TinyMogNetwork) -> tuple[torch.Tensor, list[torch.Tensor], Targets]:
    batch = to_batch(samples)
    levels = network(normalise(batch.pictures))
    for level in levels:
        for tensor in level:
            tensor.retain_grad()
    losses = detection_loss(levels, torch.from_numpy(ANCHORS.centres), torch.from_numpy(ANCHORS.strides), batch.targets)
    losses.total.backward()
    assert all(term.isfinite() for term in losses)
    gradients = [torch.cat([value.grad for value in part], 1) for part in zip(*levels, strict=True)]  # type: ignore[misc]
    return losses.total, gradients, batch.targets


def test_gradients_reach_what_has_a_target_and_nothing_else() -> None:
    torch.manual_seed(0)
    network = TinyMogNetwork()
    for head in network.bbox_head.stride_reg.values():
        torch.nn.init.constant_(head.bias, 2.0)  # boxes that overlap the face, else its goal is still 0
    _, (scores, distances, points), targets = loss_of([sample(), sample(points=False)], network)
    assert ((scores != 0) == targets.counted).all()
    flat = scores.flatten()
    assert (flat[targets.anchors] < 0).all(), "an unsure anchor of a face must become surer"
    rest = targets.counted.flatten().clone()
    rest[targets.anchors] = False
    assert (flat[rest] > 0).all()
    has_box = distances.abs().flatten(0, 1).sum(1) > 0
    assert torch.equal(has_box.nonzero()[:, 0], targets.anchors.sort().values)
    assert points[0].abs().sum() > 0
    assert points[1].abs().sum() == 0, "without keypoints there is nothing to learn about them"


def test_pictures_without_faces_have_a_loss_too() -> None:
    empty = Sample(np.zeros((320, 320, 3), np.uint8), NONE, np.zeros((0, 5, 2), np.float32), NONE)
    total, (scores, distances, _), _ = loss_of([empty], TinyMogNetwork())
    assert total > 0
    assert (scores > 0).all()
    assert not distances.any()


def test_the_loss_leads_to_what_the_detector_decodes() -> None:
    """Steps on the raw outputs themselves end where ``decode`` finds the face: one convention on both sides."""
    batch = to_batch([sample()])
    outputs = [torch.zeros(1, 4200, requires_grad=True), torch.ones(1, 4200, 4, requires_grad=True)]
    outputs.append(torch.zeros(1, 4200, 5, 2, requires_grad=True))  # type: ignore[arg-type]
    optimizer = torch.optim.Adam(outputs, lr=0.2)
    for _ in range(200):
        loss = detection_loss(
            [Level(*outputs)], torch.from_numpy(ANCHORS.centres), torch.from_numpy(ANCHORS.strides), batch.targets
        )
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
    raw = tuple(value.detach().numpy()[0] for value in outputs)
    found = decode(raw, (320, 320), 0.5)
    assert set(np.argsort(-raw[0])[: len(batch.targets.anchors)]) == set(batch.targets.anchors.tolist())
    assert np.allclose(found.boxes, sample().boxes, atol=1.5)
    assert np.allclose(found.keypoints, sample().keypoints, atol=1.0)
    told = batch.targets.confidence < 1
    soft = 1 / (1 + np.exp(-raw[0][batch.targets.anchors[told].numpy()]))
    assert soft == pytest.approx([0.6], abs=0.08), "the teacher's anchor is as sure as the teacher"
