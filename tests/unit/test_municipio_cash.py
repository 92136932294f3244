"""Cash rules: what may go in, what change may come out, and what the journal says is inside."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from municipio.cash import (
    CashCount,
    CashMovement,
    CashRules,
    ChangeStock,
    MovementKind,
    RefusedNote,
    TakeIt,
    acceptable,
    can_finish,
    coins_paid,
    count_box,
    decide,
    parse_denominations,
    rounded,
    rules_from,
    tally,
)
from municipio.devices import CashUnit
from municipio.settings import parse_settings

K = MovementKind
COINS = frozenset({50, 100, 200, 500, 1000})
NOTES = frozenset({2000, 5000, 10000, 20000, 50000})
RULES = CashRules(COINS, NOTES, change_limit_centavos=20000)
FULL = ChangeStock(100, 150)
EMPTY = ChangeStock()
ALL = COINS | NOTES


def moved(
    kind: K, unit: CashUnit, amount: int, count: int = 1, dispensed: int = -1
) -> CashMovement:
    return CashMovement("x", "k", kind, unit, amount, count, dispensed)


@pytest.mark.parametrize(
    ("piece", "missing", "stock", "decision"),
    [
        (5000, 5000, EMPTY, TakeIt(0)),
        (5000, 12000, EMPTY, TakeIt(0)),
        (5000, 4700, FULL, TakeIt(300)),
        (5000, 4700, EMPTY, RefusedNote.NO_CHANGE),
        (5000, 4750, FULL, RefusedNote.NO_CHANGE),
        (20000, 4000, FULL, RefusedNote.NO_CHANGE),
        (50000, 20000, ChangeStock(1000, 100), RefusedNote.OVER_CHANGE_LIMIT),
        (50000, 30000, ChangeStock(1000, 100), TakeIt(20000)),
        (50000, 29900, ChangeStock(100, 9000), RefusedNote.OVER_CHANGE_LIMIT),
        (5000, 0, FULL, RefusedNote.COMPLETE),
        (100000, 100000, FULL, RefusedNote.NOT_TAKEN),
    ],
)
def test_a_note_is_judged_before_it_is_stacked(
    piece: int, missing: int, stock: ChangeStock, decision: object
) -> None:
    assert decide(piece, missing, RULES, stock, ALL) == decision


def test_without_coins_a_note_that_leaves_an_unpayable_rest_is_refused() -> None:
    notes_only = CashRules(frozenset(), NOTES, 20000)
    assert decide(5000, 6000, notes_only, EMPTY, NOTES) is RefusedNote.DEAD_END
    assert decide(2000, 6000, notes_only, EMPTY, NOTES) == TakeIt(0)
    assert decide(5000, 6000, notes_only, FULL, NOTES) == TakeIt(0), (
        "a 20 and 10 of change finish it"
    )


def test_exact_only_never_gives_change() -> None:
    exact = CashRules(COINS, NOTES, 20000, exact_only=True)
    assert decide(5000, 4900, exact, FULL, ALL) is RefusedNote.EXACT_ONLY
    assert not can_finish(4910, exact, FULL, ALL)


def test_coins_that_would_overpay_without_change_are_inhibited() -> None:
    assert acceptable(COINS, 300, RULES, EMPTY, ALL) == {50, 100, 200}
    assert acceptable(COINS, 300, RULES, FULL, ALL) == COINS
    assert acceptable(COINS, 0, RULES, FULL, ALL) == frozenset()


@settings(max_examples=150, deadline=None)
@given(
    missing=st.integers(1, 4000).map(lambda n: n * 50),
    coins=st.frozensets(st.sampled_from(sorted(COINS)), max_size=3),
    stock=st.builds(ChangeStock, st.just(100), st.integers(0, 60)),
    data=st.data(),
)
def test_whoever_can_start_can_always_finish_and_never_overpays_beyond_change(
    missing: int, coins: frozenset[int], stock: ChangeStock, data: st.DataObject
) -> None:
    working = coins | NOTES
    if not can_finish(missing, RULES, stock, working):
        return
    for _ in range(2000):
        if missing <= 0:
            break
        offered = acceptable(working, missing, RULES, stock, working)
        assert offered, "the person is stuck with money inside"
        big = sorted(offered)[-2:]
        missing -= data.draw(st.sampled_from(big))
    assert stock.can_pay(-missing)
    assert -missing <= RULES.change_limit_centavos


def test_centavos_are_rounded_to_the_peso_half_down() -> None:
    assert [rounded(n) for n in (109550, 109551, 109500, 109599)] == [
        109500,
        109600,
        109500,
        109600,
    ]


def test_denominations_are_pesos_and_nothing_else() -> None:
    assert parse_denominations("0.50, 1,20") == {50, 100, 2000}
    assert parse_denominations("") == frozenset()
    for wrong in ("x", "-1", "1.234", "0", "1;2"):
        with pytest.raises(ValueError, match="denomination"):
            parse_denominations(wrong)
    assert rules_from(parse_settings({})).change_limit_centavos == 20000


def test_a_payment_is_added_up_and_its_open_questions_stay_open() -> None:
    notes, hopper = CashUnit.NOTES, CashUnit.HOPPER
    found = tally(
        [
            moved(K.COIN_IN, CashUnit.COINS, 500),
            moved(K.STACK_ORDERED, notes, 5000),
            moved(K.NOTE_STACKED, notes, 5000),
            moved(K.STACK_ORDERED, notes, 2000),
            moved(K.NOTE_RETURNED, notes, 2000),
            moved(K.CHANGE_ORDERED, hopper, 100, 5, 7),
        ]
    )
    assert (found.collected_centavos, found.open_note_centavos) == (5500, 0)
    assert found.change_order is not None
    assert coins_paid(found.change_order, 10) == 3
    assert found.pieces == {(CashUnit.COINS, 500): 1, (notes, 5000): 1}


def test_a_stack_order_without_an_end_and_one_in_doubt() -> None:
    order = moved(K.STACK_ORDERED, CashUnit.NOTES, 5000)
    doubt = moved(K.NOTE_IN_DOUBT, CashUnit.NOTES, 5000)
    late = moved(K.NOTE_STACKED, CashUnit.NOTES, 5000)
    assert tally([order]).open_note_centavos == 5000
    assert tally([order, doubt]).doubt_centavos == 5000
    assert tally([order, doubt]).is_doubtful
    assert not tally([order, doubt, late]).is_doubtful


def test_the_hoppers_count_wraps_after_three_bytes() -> None:
    order = moved(K.CHANGE_ORDERED, CashUnit.HOPPER, 100, 5, (1 << 24) - 2)
    assert coins_paid(order, 1) == 3


def test_the_box_is_what_went_in_less_what_came_out() -> None:
    box = count_box(
        [
            CashCount(K.COIN_IN, CashUnit.COINS, 500, 3),
            CashCount(K.NOTE_STACKED, CashUnit.NOTES, 5000, 2),
            CashCount(K.NOTE_RETURNED, CashUnit.NOTES, 5000, 9),
            CashCount(K.HOPPER_SET, CashUnit.HOPPER, 100, 80),
            CashCount(K.CHANGE_PAID, CashUnit.HOPPER, 100, 30),
            CashCount(K.NOTE_IN_DOUBT, CashUnit.NOTES, 2000, 1),
        ]
    )
    assert (box.coins_centavos, box.notes_centavos, box.hopper_centavos) == (1500, 10000, 5000)
    assert box.total_centavos == 16500
    assert box.doubt_centavos == 2000
