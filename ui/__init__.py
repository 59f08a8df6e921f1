"""The desktop window: PyQt5 views that show and command the engine; the engine knows nothing of them."""
