"""MTCNN: its networks against a plain numpy run of the same arrays, and the cascade on real pictures."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.detectors import Detector, load_detector
from streamer.detectors.mtcnn import patches, squared, to_input
from streamer.detectors.mtcnn_networks import Stage, output_network, proposal_network, refine_network
from streamer.detectors.postprocess import overlap
from streamer.runtime.weights import mtcnn_arrays


class KerasLike:
    """The networks as the package ``mtcnn`` defines them in Keras, in numpy: NHWC, "same" pooling, Permute."""

    def __init__(self, stage: str) -> None:
        self._arrays = iter(mtcnn_arrays(stage))

    def conv(self, x: np.ndarray) -> np.ndarray:
        kernel, bias = next(self._arrays), next(self._arrays)
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
        return np.einsum("nhwcij,ijco->nhwo", windows, kernel, optimize=True) + bias

    def prelu(self, x: np.ndarray) -> np.ndarray:
        return np.where(x > 0, x, x * next(self._arrays))

    def dense(self, x: np.ndarray) -> np.ndarray:
        kernel, bias = next(self._arrays), next(self._arrays)
        return x @ kernel + bias

    @staticmethod
    def pool(x: np.ndarray, size: int, padding: str) -> np.ndarray:
        if padding == "same":
            after = [max((-(-side // 2) - 1) * 2 + size - side, 0) for side in x.shape[1:3]]
            before = [total // 2 for total in after]
            pads = [(b, total - b) for b, total in zip(before, after, strict=True)]
            x = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=-np.inf)
        windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))
        return windows[:, ::2, ::2].max(axis=(4, 5))

    @staticmethod
    def flat(x: np.ndarray) -> np.ndarray:
        return x.transpose(0, 2, 1, 3).reshape(len(x), -1)

    @staticmethod
    def softmax(x: np.ndarray) -> np.ndarray:
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def block(self, x: np.ndarray) -> np.ndarray:
        return self.prelu(self.conv(x))


def reference_pnet(x: np.ndarray) -> list[np.ndarray]:
    net = KerasLike("pnet")
    x = net.block(net.block(net.pool(net.block(x), 2, "same")))
    return [net.conv(x), net.softmax(net.conv(x))]


def reference_rnet(x: np.ndarray) -> list[np.ndarray]:
    net = KerasLike("rnet")
    x = net.pool(net.block(net.pool(net.block(x), 3, "same")), 3, "valid")
    x = net.prelu(net.dense(net.flat(net.block(x))))
    return [net.dense(x), net.softmax(net.dense(x))]


def reference_onet(x: np.ndarray) -> list[np.ndarray]:
    net = KerasLike("onet")
    x = net.pool(net.block(net.pool(net.block(x), 3, "same")), 3, "valid")
    x = net.pool(net.block(x), 2, "same")
    x = net.prelu(net.dense(net.flat(net.block(x))))
    return [net.dense(x), net.dense(x), net.softmax(net.dense(x))]


@pytest.fixture(scope="module")
def mtcnn() -> Detector:
    return load_detector("mtcnn", score=0.9, min_face=32, device="cpu")


def run(network: Stage, images: np.ndarray) -> list[np.ndarray]:
    import torch

    with torch.inference_mode():
        return [output.numpy() for output in network(to_input(images))]


def normalised(images: np.ndarray) -> np.ndarray:
    return (images[..., ::-1].astype(np.float64) - 127.5) / 128


def test_networks_agree_with_the_reference(photographs: list[np.ndarray], retinaface: Detector) -> None:
    """On faces and backgrounds of every picture, odd P-Net sizes included."""
    proposal, refine, output = proposal_network(), refine_network(), output_network()
    faces = 0
    for image in photographs:
        boxes = squared(np.concatenate([retinaface.detect(image).boxes, [[5, 5, 90, 95]]]).astype(np.float32))
        corner = image[None, :101, :87]
        pairs = zip(run(proposal, corner), reference_pnet(normalised(corner)), strict=True)
        for ours, theirs in pairs:
            np.testing.assert_allclose(ours.transpose(0, 2, 3, 1), theirs, atol=2e-5)
        for network, reference, side in ((refine, reference_rnet, 24), (output, reference_onet, 48)):
            cut = patches(image, boxes, side)
            for ours, theirs in zip(run(network, cut), reference(normalised(cut)), strict=True):
                np.testing.assert_allclose(ours, theirs, atol=2e-5)
        faces += len(boxes) - 1
    assert faces >= 12


def test_finds_the_astronaut_where_retinaface_does(
    astronaut: np.ndarray, mtcnn: Detector, retinaface: Detector
) -> None:
    ours, other = mtcnn.detect(astronaut), retinaface.detect(astronaut)
    assert overlap(ours.boxes[0], other.boxes)[0] > 0.8
    assert np.abs(ours.keypoints[0] - other.keypoints[0]).max() < 5


def test_sees_the_large_faces_that_retinaface_sees(
    photographs: list[np.ndarray], mtcnn: Detector, retinaface: Detector
) -> None:
    seen = []
    for image in photographs:
        found, other = mtcnn.detect(image), retinaface.detect(image)
        for box, score in zip(other.boxes, other.scores, strict=True):
            if score > 0.98 and min(box[2:] - box[:2]) > 60:
                seen.append(overlap(box, found.boxes).max(initial=0) > 0.5)
    assert len(seen) >= 8
    assert np.mean(seen) > 0.8


def test_patches_beyond_the_image_are_grey() -> None:
    cut = patches(np.zeros((20, 20, 3), np.uint8), np.array([[-10, 0, 10, 20], [50, 50, 60, 60]], np.float32), 20)
    assert (cut[0, :, :10] == 127).all()
    assert (cut[0, :, 10:] == 0).all()
    assert (cut[1] == 127).all()


def test_parity_of_the_whole_cascade_with_the_reference_networks(astronaut: np.ndarray, mtcnn: Detector) -> None:
    """The same cascade over the reference's networks finds the same face."""
    expected = mtcnn.detect(astronaut)

    class Reference:
        def __init__(self, function) -> None:
            self.function = function

        def __call__(self, batch):
            import torch

            outputs = self.function(batch.permute(0, 2, 3, 1).double().numpy())
            return [torch.from_numpy(o.transpose(0, 3, 1, 2) if o.ndim == 4 else o).float() for o in outputs]

    other = load_detector("mtcnn", score=0.9, min_face=32, device="cpu")
    other._propose, other._refine, other._finish = map(Reference, (reference_pnet, reference_rnet, reference_onet))  # type: ignore[attr-defined]
    found = other.detect(astronaut)
    assert len(found) == len(expected) == 1
    assert overlap(found.boxes[0], expected.boxes)[0] > 0.95
