"""The stage: the picture, where it lies, and what is drawn over it. Composed on a thread of its own, then painted."""
