"""The parts of the Effects page."""
