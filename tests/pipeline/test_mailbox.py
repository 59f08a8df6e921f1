"""The hand-over between two threads under both policies and at its end."""

from __future__ import annotations

import threading
import time

from streamer.pipeline.mailbox import Mailbox


def test_newest_wins_and_counts_what_it_drops() -> None:
    box: Mailbox[int] = Mailbox(newest_wins=True)
    for i in range(5):
        assert box.put(i)
    assert box.take(0) == 4
    assert box.take(0) is None
    assert box.dropped == 4


def test_bounded_wait_loses_nothing_and_keeps_the_order() -> None:
    box: Mailbox[int] = Mailbox(newest_wins=False, capacity=2)

    def produce() -> None:
        for i in range(200):
            box.put(i)
        box.close()

    producer = threading.Thread(target=produce)
    producer.start()
    received = []
    while (item := box.take()) is not None:
        received.append(item)
    producer.join()
    assert received == list(range(200))
    assert box.dropped == 0


def test_close_frees_a_producer_that_waits_for_room() -> None:
    box: Mailbox[int] = Mailbox(newest_wins=False)
    box.put(1)
    outcome: list[bool] = []
    producer = threading.Thread(target=lambda: outcome.append(box.put(2)))
    producer.start()
    time.sleep(0.05)
    box.close()
    producer.join(1)
    assert outcome == [False]
    assert box.take() == 1
    assert box.take() is None


def test_close_frees_a_waiting_consumer() -> None:
    box: Mailbox[int] = Mailbox(newest_wins=True)
    outcome: list[int | None] = []
    consumer = threading.Thread(target=lambda: outcome.append(box.take()))
    consumer.start()
    time.sleep(0.05)
    box.close()
    consumer.join(1)
    assert outcome == [None]


def test_a_timeout_is_kept() -> None:
    box: Mailbox[int] = Mailbox(newest_wins=True)
    started = time.monotonic()
    assert box.take(0.05) is None
    assert time.monotonic() - started > 0.04
