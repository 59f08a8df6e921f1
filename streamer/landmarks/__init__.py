"""From a face box, or last frame's points, to 106 landmarks, head pose and the presence decision."""

from streamer.landmarks.predictor import LandmarkBatch, LandmarkPredictor, load_predictor

__all__ = ["LandmarkBatch", "LandmarkPredictor", "load_predictor"]
