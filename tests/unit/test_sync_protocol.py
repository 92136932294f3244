from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from municipio.facts import Lane
from municipio.usecases.ports import LinkState
from municipio.wire.ack import Ack
from municipio.wire.attachment import MAX_PART_BYTES, Progress
from sync.answers import Delivered, OtherFuture, Refused, TooLarge, Trouble, Wanted
from sync.outbox import Stretch
from sync.protocol import MIN_PART_BYTES, Exchange, Follow, Pace, Rest, Salute, Send, SendPart
from sync.uploads import File

PACE = Pace(5, 5, 1800)
PAY = Stretch(Lane.PAY, 1, 2, 4)
REP = Stretch(Lane.REP, 1, 0, 3)
VIT = Stretch(Lane.VIT, 1, 0, 3)
SEND = Send(Lane.PAY, 1, 3, 500)
OFFLINE = Refused(Trouble.OFFLINE, "no route")
BROKEN = Refused(Trouble.CITY_ERROR, "HTTP 500")


def delivered(next_contact_s: int = 0) -> Delivered:
    ack = Ack("COA007", 1, Lane.PAY, 4, "ab" * 32, next_contact_s=next_contact_s)
    return Delivered(ack)


def online(chance: float = 1.0, attempts: int = 0) -> Exchange:
    exchange = Exchange(PACE, lambda: chance, attempts=attempts)
    exchange.begin(0)
    exchange.saluted(0, None)
    return exchange


def test_a_node_salutes_before_it_sends() -> None:
    exchange = Exchange(PACE, lambda: 1.0)
    assert exchange.next(0, [PAY]) == Salute()
    exchange.saluted(0, None)
    assert exchange.next(0, [PAY]) == SEND


def test_payments_go_before_everything_else() -> None:
    exchange = online()
    assert exchange.next(1, [PAY, REP, VIT]) == SEND
    assert exchange.next(1, [Stretch(Lane.PAY, 1, 4, 4), REP]) == Send(Lane.REP, 1, 1, 500)


def test_with_nothing_to_send_it_rests_until_the_next_heartbeat() -> None:
    exchange = online()
    assert exchange.next(1, [Stretch(Lane.PAY, 1, 4, 4)]) == Rest(4)
    assert exchange.next(5, []) == Salute()


def test_a_city_in_trouble_is_asked_less_and_less() -> None:
    exchange = online()
    waits = []
    for attempt in range(1, 12):
        exchange.answered(0, SEND, BROKEN)
        assert exchange.attempts == attempt
        ready = [t for t in range(1, 4000) if exchange.next(t, [PAY]) == SEND]
        waits.append(ready[0])
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == 1800


@given(st.lists(st.floats(0, 0.999), min_size=1, max_size=30))
@settings(max_examples=60)
def test_a_wait_is_anywhere_below_its_cap(chances: list[float]) -> None:
    for chance in chances:
        exchange = online(chance)
        for attempt in range(1, 15):
            exchange.answered(0, SEND, BROKEN)
            cap = min(1800, 5 * 2 ** (attempt - 1))
            assert exchange.next(max(cap * chance, 0.1) + 0.001, [PAY]) in (SEND, Salute())


def test_the_return_of_the_link_sends_at_once() -> None:
    exchange = online()
    for _ in range(8):
        exchange.answered(0, SEND, BROKEN)
    exchange.saluted(1, OFFLINE)
    assert exchange.link is LinkState.OFFLINE
    assert isinstance(exchange.next(1, [PAY]), Rest)
    exchange.saluted(7, None)
    assert exchange.next(7, [PAY]) == SEND


def test_an_answered_heartbeat_does_not_hurry_a_city_in_trouble() -> None:
    exchange = online()
    for _ in range(8):
        exchange.answered(0, SEND, BROKEN)
    exchange.saluted(5, None)
    assert isinstance(exchange.next(6, [PAY]), Rest)


def test_failures_are_remembered_over_a_restart() -> None:
    exchange = online(attempts=6)
    assert isinstance(exchange.next(1, [PAY]), Rest)


def test_unanswered_heartbeats_stay_near_for_a_minute_and_then_grow_apart() -> None:
    exchange = Exchange(PACE, lambda: 1.0)
    gaps, now = [], 0.0
    for _ in range(30):
        exchange.saluted(now, OFFLINE)
        rest = exchange.next(now, [PAY])
        assert isinstance(rest, Rest)
        gaps.append(rest.seconds)
        now += rest.seconds
    assert gaps[:12] == [5.0] * 12
    assert gaps[-1] == 60.0


@pytest.mark.parametrize(("asked", "obeyed"), [(30, 30), (10**6, 3600)])
def test_retry_after_is_obeyed_up_to_an_hour(asked: float, obeyed: float) -> None:
    exchange = online(chance=0.0)
    exchange.answered(0, SEND, Refused(Trouble.CITY_ERROR, "HTTP 503", asked))
    assert exchange.next(obeyed - 0.01, [PAY]) in (Salute(), Rest(pytest.approx(0.01)))
    assert exchange.next(obeyed, [PAY]) == SEND


def test_the_next_contact_holds_back_what_is_not_urgent() -> None:
    exchange = online()
    exchange.answered(0, SEND, delivered(next_contact_s=60))
    assert exchange.next(1, [VIT]) == Rest(4)
    assert exchange.next(1, [REP]) == Send(Lane.REP, 1, 1, 500)
    assert exchange.next(60, [VIT]) == Send(Lane.VIT, 1, 1, 500)


def test_a_body_too_large_is_halved_and_grows_again() -> None:
    exchange = online()
    sizes = []
    for _ in range(4):
        send = exchange.next(0, [PAY])
        assert isinstance(send, Send)
        sizes.append(send.limit)
        exchange.answered(0, send, TooLarge())
    assert sizes == [500, 250, 125, 62]
    exchange.answered(0, SEND, delivered())
    assert exchange.next(0, [PAY]) == Send(Lane.PAY, 1, 3, 62)


def test_one_fact_too_large_does_not_hold_back_the_other_lanes() -> None:
    exchange = online()
    exchange.answered(0, Send(Lane.PAY, 1, 3, 1), TooLarge())
    assert exchange.next(0, [PAY, REP]) == Send(Lane.REP, 1, 1, 500)


def test_a_gap_is_sent_from_where_the_city_wants() -> None:
    exchange = online()
    assert exchange.answered(0, SEND, Wanted(1)) is Follow.REWIND
    assert exchange.next(0, [Stretch(Lane.PAY, 1, 0, 4)]) == Send(Lane.PAY, 1, 1, 500)
    exchange = online()
    assert exchange.answered(0, SEND, Wanted(9)) is Follow.NOTHING
    assert exchange.next(0, [PAY]) == Send(Lane.PAY, 1, 4, 500)


def test_a_gap_that_repeats_is_not_a_busy_loop() -> None:
    exchange = online()
    exchange.answered(0, SEND, Wanted(1))
    exchange.answered(0, SEND, Wanted(1))
    assert isinstance(exchange.next(1, [PAY]), Rest)
    assert exchange.trouble is Trouble.GAP


def test_another_future_asks_for_a_new_epoch_and_blocks_only_its_chain() -> None:
    exchange = online()
    assert exchange.answered(0, SEND, OtherFuture("clone")) is Follow.NEW_EPOCH
    new = Stretch(Lane.PAY, 2, 0, 1)
    assert exchange.next(0, [PAY, new]) == Send(Lane.PAY, 2, 1, 500)
    assert exchange.trouble is Trouble.TAMPERING


PHOTO = File("ab" * 32, 1000)
PART = SendPart(PHOTO, 0, MAX_PART_BYTES)


def test_a_file_goes_after_every_fact_and_asks_first_where_to_go_on() -> None:
    exchange = online()
    assert exchange.next(1, [PAY, VIT], [PHOTO]) == SEND
    ask = exchange.next(1, [], [PHOTO])
    assert ask == SendPart(PHOTO, None, MAX_PART_BYTES)
    assert isinstance(ask, SendPart)
    exchange.part_answered(1, ask, Progress("COA007", PHOTO.sha256, 300, complete=False))
    assert exchange.next(1, [], [PHOTO]) == SendPart(PHOTO, 300, MAX_PART_BYTES)
    exchange.answered(1, SEND, delivered(next_contact_s=60))
    assert isinstance(exchange.next(2, [], [PHOTO]), Rest)


def test_a_file_without_headway_waits_and_facts_do_not() -> None:
    exchange = online()
    exchange.part_answered(0, PART, Progress("COA007", PHOTO.sha256, 0, complete=False))
    assert isinstance(exchange.next(1, [], [PHOTO]), Rest)
    assert exchange.next(1, [PAY], [PHOTO]) == SEND
    assert exchange.trouble is Trouble.REFUSED


def test_parts_shrink_on_a_slow_link() -> None:
    exchange = online(chance=0.0)
    for _ in range(20):
        exchange.part_answered(0, PART, Refused(Trouble.TIMEOUT, "slow"))
    exchange.saluted(1, None)
    assert exchange.next(2, [], [PHOTO]) == SendPart(PHOTO, None, MIN_PART_BYTES)


def test_an_unknown_node_keeps_its_queue_and_says_so() -> None:
    exchange = online()
    exchange.answered(0, SEND, Refused(Trouble.UNKNOWN_NODE, "HTTP 401"))
    assert exchange.trouble is Trouble.UNKNOWN_NODE
    exchange.saluted(5, None)
    assert exchange.trouble is Trouble.UNKNOWN_NODE
    exchange.answered(9, SEND, delivered())
    assert exchange.trouble is None
