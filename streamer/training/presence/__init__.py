"""The presence head: examples, truth, training, scores, and what fine-tuned landmark weights get of it."""
