"""One source through its threads: mailbox, analyzer, fan-out, metrics, camera."""
