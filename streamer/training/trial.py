"""Quick marks on held-out faces while training: the same crops every time, clean and with errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from streamer.landmarks.network import CROP, LandmarkNetwork, normalise
from streamer.training.augment import CropError, cut, draw_error
from streamer.training.datasets import FaceSet
from streamer.training.geometry import eye_span
from streamer.types import FloatArray


class Marks(NamedTuple):
    """Errors on held-out faces.

    Attributes:
        clean: NME with the right crops.
        turned: the same over faces with |yaw| > 25°; NaN when there are none.
        rough: NME with random crop and roll errors.
        pose: mean absolute error of the three angles in degrees, right crops; NaN when no pose is labelled.
    """

    clean: float
    turned: float
    rough: float
    pose: float


class Trial:
    """Held-out crops, cut once.

    Args:
        faces: held-out faces.
        seed: seed of the rough crops' errors.
    """

    def __init__(self, faces: FaceSet, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        exact = CropError(0.0, np.zeros(4))
        pairs = [
            [cut(image, points, pose, error) for error in (exact, draw_error(rng))]
            for image, points, pose in zip(faces.images, faces.landmarks, faces.pose, strict=True)
        ]
        self._views = [[pair[kind] for pair in pairs] for kind in (0, 1)]
        self._far = np.abs(faces.pose[:, 2]) > 25

    def run(self, network: LandmarkNetwork) -> Marks:
        """Mark a network; it is put into evaluation mode."""
        network.eval()
        (clean, pose), (rough, _) = (self._errors(network, kind) for kind in (0, 1))
        far = float(np.nanmean(clean[self._far])) if self._far.any() else float("nan")
        angle = float(np.nanmean(pose)) if np.isfinite(pose).any() else float("nan")
        return Marks(float(np.nanmean(clean)), far, float(np.nanmean(rough)), angle)

    def _errors(self, network: LandmarkNetwork, kind: int) -> tuple[FloatArray, FloatArray]:
        """NME ``(n,)`` and pose errors ``(n, 3)``, measured in the undistorted picture."""
        views = self._views[kind]
        points, pose = predict(network, np.stack([view.image for view in views]))
        nme = np.empty(len(views), np.float32)
        for row, view in enumerate(views):
            back = np.linalg.inv(view.matrix[:, :2]).T * CROP
            error = np.linalg.norm((points[row] - view.points) @ back, axis=1)
            nme[row] = np.nanmean(error) / eye_span((view.points @ back).astype(np.float32))
        return nme, np.abs(pose - np.stack([view.pose for view in views]))


@torch.inference_mode()
def predict(
    network: LandmarkNetwork, crops: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> tuple[FloatArray, FloatArray]:
    """Run a network over many crops.

    Args:
        network: in evaluation mode, on any device.
        crops: ``(n, 96, 96, 3)`` BGR.

    Returns:
        points ``(n, 106, 2)`` in the unit square and pose ``(n, 3)`` in degrees.
    """
    parts: list[tuple[Tensor, Tensor]] = []
    device = next(network.parameters()).device
    for start in range(0, len(crops), 128):
        batch = torch.from_numpy(crops[start : start + 128]).permute(0, 3, 1, 2).to(device)
        parts.append(network(normalise(batch).contiguous(memory_format=torch.channels_last)))
    points, pose = (torch.cat(column).cpu() for column in zip(*parts, strict=True))
    return points.numpy(), torch.rad2deg(pose).numpy()
