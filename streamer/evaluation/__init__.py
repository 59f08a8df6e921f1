"""Measures of quality: on clips, photographs and data sets; behind ``facestream evaluate``."""
