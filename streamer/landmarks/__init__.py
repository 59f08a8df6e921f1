"""From a face box, or last frame's points, to 106 landmarks, head pose and the presence decision."""
