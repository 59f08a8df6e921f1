"""Training of the networks and export of what was trained; behind ``facestream train``."""
