"""Training of the TinyMog detector: data, augmentation, teacher, targets, losses and the loop."""
