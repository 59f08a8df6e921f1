"""What runs the landmark network on a batch of crops: ONNX Runtime on the CPU, torch on CUDA.

Both take uint8 BGR crops ``(n, 96, 96, 3)`` and give an :class:`Answer` in the frame of the crops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from streamer.types import FloatArray, Image

if TYPE_CHECKING:
    import onnxruntime as ort

    from streamer.landmarks.network import LandmarkNetwork
    from streamer.landmarks.presence import PresenceHead

OUTPUTS: Final = ("landmarks", "pose", "presence")
"""Outputs an ONNX file must have, in this order."""


class Answer(NamedTuple):
    """What the network says about ``n`` crops.

    Attributes:
        landmarks: ``(n, 106, 2)`` in pixels of the crop.
        pose: ``(n, 3)`` pitch, roll, yaw in degrees of the crop.
        presence: ``(n,)`` probability that the crop holds a well-framed face.
    """

    landmarks: FloatArray
    pose: FloatArray
    presence: FloatArray


class Backend(Protocol):
    """Runs the network."""

    def __call__(self, crops: Image) -> Answer:
        """Answer for uint8 BGR crops ``(n, 96, 96, 3)``."""


class OnnxBackend:
    """Our combined ONNX file in ONNX Runtime; may be shared between threads."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    def __call__(self, crops: Image) -> Answer:
        """See :class:`Backend`."""
        return Answer(*self._session.run(None, {self._input: crops}))


class TorchBackend:
    """The torch network on a device.

    Args:
        network: gives landmarks and pose.
        presence: gives the presence, from the features of ``judge``.
        device: ``cpu`` or ``cuda``.
        judge: the network that ``presence`` was trained on; ``network`` itself when ``None``. A user's own
            weights have another backbone, so our network then looks at the same crops for presence alone.
    """

    def __init__(
        self,
        network: LandmarkNetwork,
        presence: PresenceHead,
        *,
        device: str,
        judge: LandmarkNetwork | None = None,
    ) -> None:
        self._device = device
        self._network = network.eval().to(device)
        self._presence = presence.eval().to(device)
        self._judge = judge.eval().to(device) if judge is not None else None

    def __call__(self, crops: Image) -> Answer:
        """See :class:`Backend`."""
        import torch

        from streamer.landmarks.network import CROP, normalise
        from streamer.landmarks.presence import presence_inputs

        with torch.inference_mode():
            x = normalise(torch.from_numpy(crops).to(self._device).permute(0, 3, 1, 2))
            features = self._network.backbone(x)
            landmarks, pose = self._network.heads(features.last)
            judge, judged = self._network, landmarks
            if self._judge is not None:
                judge = self._judge
                features = judge.backbone(x)
                judged, _ = judge.heads(features.last)
            logits = self._presence(presence_inputs(features, judged, judge.mean_face))
            answer = torch.cat([landmarks.flatten(1) * CROP, torch.rad2deg(pose), logits.sigmoid()[:, None]], dim=1)
        flat = answer.cpu().numpy()
        points = np.ascontiguousarray(flat[:, :-4]).reshape(len(flat), -1, 2)
        return Answer(points, flat[:, -4:-1], flat[:, -1])
