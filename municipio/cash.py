"""Cash rules and cash-box arithmetic: what may go in, what change may come out, what is inside.

Amounts are centavos of one piece. Nothing here touches a device: decisions are values, and the box is
counted from the movements that the journal holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from math import gcd

from municipio.devices import CashUnit
from municipio.settings import Settings

COUNT_MODULUS = 1 << 24
"""A hopper's lifetime count has three bytes (ccTalk part 2, header 168)."""

DISPENSE_MAX = 200
"""Coins in one order to the hopper."""


class MovementKind(StrEnum):
    COIN_IN = "coin_in"
    STACK_ORDERED = "stack_ordered"
    """Journalled before the validator hears it: after a restart this row says which note it was."""
    NOTE_STACKED = "note_stacked"
    NOTE_RETURNED = "note_returned"
    NOTE_IN_DOUBT = "note_in_doubt"
    """Between nothing and this amount went in; the next count of the box says."""
    PIECES_LOST = "pieces_lost"
    """`count` pieces of unknown denomination; 0 when not even the number is known."""
    CHANGE_ORDERED = "change_ordered"
    CHANGE_PAID = "change_paid"
    CHANGE_IN_DOUBT = "change_in_doubt"
    HOPPER_SET = "hopper_set"
    """A technician counted: `count` coins more, or fewer, than the journal held (all, after a cut)."""
    CUT = "cut"
    """A technician emptied box and stacker."""


@dataclass(frozen=True, slots=True)
class CashMovement:
    """One row of the cash journal; never changed once written. `payment` is empty for nobody's money.

    `dispensed` is the hopper's lifetime count when change was ordered.
    """

    id: str
    payment: str
    kind: MovementKind
    unit: CashUnit
    amount_centavos: int
    count: int = 1
    dispensed: int = -1


@dataclass(frozen=True, slots=True)
class CashCount:
    """Pieces of one kind, unit and denomination, summed since the last cut."""

    kind: MovementKind
    unit: CashUnit
    amount_centavos: int
    count: int


# --- one payment ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """What the journal knows of one payment's money.

    `open_note` is the note of a stack order without an end (0: none), `change_order` the order to the
    hopper without an end. `doubt_centavos` may have gone in beside `collected_centavos`.
    """

    collected_centavos: int = 0
    open_note_centavos: int = 0
    doubt_centavos: int = 0
    unread_pieces: int = 0
    """Went in without anybody reading what they were; at least one, when not even that is known."""
    change_order: CashMovement | None = None
    change_paid_centavos: int = 0
    change_doubt_centavos: int = 0
    change_was_ordered: bool = False
    pieces: Mapping[tuple[CashUnit, int], int] = field(default_factory=dict)

    @property
    def is_doubtful(self) -> bool:
        return self.doubt_centavos > 0 or self.unread_pieces > 0

    @property
    def kept_centavos(self) -> int:
        """Surely inside and not given back."""
        return self.collected_centavos - self.change_paid_centavos


def tally(movements: Iterable[CashMovement]) -> Tally:
    """Add up one payment's movements, oldest first."""
    found = Tally()
    for movement in movements:
        found = _after(found, movement)
    return found


def _after(t: Tally, m: CashMovement) -> Tally:
    amount = m.amount_centavos * m.count
    match m.kind:
        case MovementKind.COIN_IN:
            return _collected(t, m)
        case MovementKind.NOTE_STACKED:
            late = 0 if t.open_note_centavos else min(amount, t.doubt_centavos)
            closed = replace(t, open_note_centavos=0, doubt_centavos=t.doubt_centavos - late)
            return _collected(closed, m)
        case MovementKind.STACK_ORDERED:
            return replace(t, open_note_centavos=m.amount_centavos)
        case MovementKind.NOTE_RETURNED:
            return replace(t, open_note_centavos=0)
        case MovementKind.NOTE_IN_DOUBT:
            return replace(t, open_note_centavos=0, doubt_centavos=t.doubt_centavos + amount)
        case MovementKind.PIECES_LOST:
            return replace(t, unread_pieces=t.unread_pieces + max(m.count, 1))
    return _changed(t, m, amount)


def _changed(t: Tally, m: CashMovement, amount: int) -> Tally:
    match m.kind:
        case MovementKind.CHANGE_ORDERED:
            return replace(t, change_order=m, change_was_ordered=True)
        case MovementKind.CHANGE_PAID:
            paid = t.change_paid_centavos + amount
            return replace(t, change_order=None, change_paid_centavos=paid)
        case MovementKind.CHANGE_IN_DOUBT:
            doubt = t.change_doubt_centavos + amount
            return replace(t, change_order=None, change_doubt_centavos=doubt)
    return t


def _collected(t: Tally, m: CashMovement) -> Tally:
    key = (m.unit, m.amount_centavos)
    return replace(
        t,
        collected_centavos=t.collected_centavos + m.amount_centavos * m.count,
        pieces={**t.pieces, key: t.pieces.get(key, 0) + m.count},
    )


def coins_paid(order: CashMovement, count_now: int) -> int:
    """Coins that left since an order, by the hopper's own lifetime count; never more than ordered."""
    return min((count_now - order.dispensed) % COUNT_MODULUS, order.count)


# --- the box ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CashBox:
    """What is inside by the journal. `notes` and `coins` map centavos of a piece to how many.

    `hopper_coin_centavos` is 0 until a technician first counted it. The true content lies between
    `total_centavos - change_doubt_centavos` and `total_centavos + doubt_centavos`, unless
    `unread_pieces` went in that nobody could name.
    """

    coins: Mapping[int, int] = field(default_factory=dict)
    notes: Mapping[int, int] = field(default_factory=dict)
    hopper_coin_centavos: int = 0
    hopper_coins: int = 0
    doubt_centavos: int = 0
    change_doubt_centavos: int = 0
    unread_pieces: int = 0

    @property
    def coins_centavos(self) -> int:
        return sum(amount * count for amount, count in self.coins.items())

    @property
    def notes_centavos(self) -> int:
        return sum(amount * count for amount, count in self.notes.items())

    @property
    def hopper_centavos(self) -> int:
        return self.hopper_coin_centavos * self.hopper_coins

    @property
    def total_centavos(self) -> int:
        return self.coins_centavos + self.notes_centavos + self.hopper_centavos


def count_box(counts: Iterable[CashCount]) -> CashBox:
    """The box from the sums since the last cut (a cut writes the hopper's content anew)."""
    coins: dict[int, int] = {}
    notes: dict[int, int] = {}
    coin = held = doubt = change_doubt = unread = 0
    for c in counts:
        match c.kind:
            case MovementKind.COIN_IN:
                coins[c.amount_centavos] = coins.get(c.amount_centavos, 0) + c.count
            case MovementKind.NOTE_STACKED:
                notes[c.amount_centavos] = notes.get(c.amount_centavos, 0) + c.count
            case MovementKind.NOTE_IN_DOUBT:
                doubt += c.amount_centavos * c.count
            case MovementKind.PIECES_LOST:
                unread += max(c.count, 1)
            case MovementKind.HOPPER_SET:
                coin, held = c.amount_centavos, held + c.count
            case MovementKind.CHANGE_PAID:
                held -= c.count
            case MovementKind.CHANGE_IN_DOUBT:
                change_doubt += c.amount_centavos * c.count
            case _:
                pass
    return CashBox(coins, notes, coin, max(held, 0), doubt, change_doubt, unread)


# --- what may go in ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CashRules:
    """The city's cash rules. Empty `notes` or `coins`: that kind of money is not taken."""

    coins: frozenset[int]
    notes: frozenset[int]
    change_limit_centavos: int
    exact_only: bool = False
    max_payment_centavos: int = 0
    """0: no limit."""
    round_to_peso: bool = False


def rules_from(settings: Settings) -> CashRules:
    """Raises ValueError for a denomination that is not a positive number of pesos."""
    return CashRules(
        parse_denominations(settings.text("cash.coins")),
        parse_denominations(settings.text("cash.notes")),
        settings.number("cash.change_limit_centavos"),
        settings.flag("cash.exact_only"),
        settings.number("cash.max_payment_centavos"),
        settings.text("cash.rounding") == "peso",
    )


def parse_denominations(text: str) -> frozenset[int]:
    """`0.50,1,2` in pesos to centavos. Raises ValueError."""
    found = set()
    for part in filter(None, (p.strip() for p in text.split(","))):
        pesos, _, cents = part.partition(".")
        if not pesos.isdecimal() or not (not cents or (cents.isdecimal() and len(cents) <= 2)):
            raise ValueError(f"«{part}» is not a denomination in pesos")
        found.add(int(pesos) * 100 + int(cents.ljust(2, "0") or 0))
    if 0 in found:
        raise ValueError("a denomination of zero pesos")
    return frozenset(found)


def rounded(amount_centavos: int) -> int:
    """To whole pesos: 1 to 50 centavos down, 51 to 99 up (the rule of CFF art. 20 for payments)."""
    pesos, cents = divmod(amount_centavos, 100)
    return (pesos + (cents > 50)) * 100


@dataclass(frozen=True, slots=True)
class ChangeStock:
    """Coins that the hopper can surely pay."""

    coin_centavos: int = 0
    coins: int = 0

    def can_pay(self, amount_centavos: int) -> bool:
        if amount_centavos == 0:
            return True
        if self.coin_centavos <= 0 or amount_centavos % self.coin_centavos:
            return False
        return amount_centavos // self.coin_centavos <= min(self.coins, DISPENSE_MAX)


class RefusedNote(StrEnum):
    """Why a piece is not taken; each has its sentence on the screen."""

    COMPLETE = "complete"
    NOT_TAKEN = "not_taken"
    """A denomination that this kiosk does not take."""
    EXACT_ONLY = "exact_only"
    OVER_CHANGE_LIMIT = "over_change_limit"
    NO_CHANGE = "no_change"
    DEAD_END = "dead_end"
    """What would be left could not be paid with any pieces that this kiosk takes."""


@dataclass(frozen=True, slots=True)
class TakeIt:
    change_centavos: int


Decision = TakeIt | RefusedNote


def decide(
    piece_centavos: int,
    missing_centavos: int,
    rules: CashRules,
    stock: ChangeStock,
    working: frozenset[int],
) -> Decision:
    """May this piece go in, with `missing_centavos` still to pay? `working`: denominations now taken."""
    if missing_centavos <= 0:
        return RefusedNote.COMPLETE
    if piece_centavos not in rules.coins | rules.notes:
        return RefusedNote.NOT_TAKEN
    over = piece_centavos - missing_centavos
    if over > 0:
        return _over(over, rules, stock)
    if over < 0 and not can_finish(-over, rules, stock, working):
        return RefusedNote.DEAD_END
    return TakeIt(0)


def _over(over: int, rules: CashRules, stock: ChangeStock) -> Decision:
    if rules.exact_only:
        return RefusedNote.EXACT_ONLY
    if over > rules.change_limit_centavos:
        return RefusedNote.OVER_CHANGE_LIMIT
    return TakeIt(over) if stock.can_pay(over) else RefusedNote.NO_CHANGE


def acceptable(
    denominations: frozenset[int],
    missing_centavos: int,
    rules: CashRules,
    stock: ChangeStock,
    working: frozenset[int],
) -> frozenset[int]:
    """The pieces that may go in next: the others are inhibited, because a coin has no escrow."""
    return frozenset(
        d
        for d in denominations
        if isinstance(decide(d, missing_centavos, rules, stock, working), TakeIt)
    )


def can_finish(
    amount_centavos: int, rules: CashRules, stock: ChangeStock, working: frozenset[int]
) -> bool:
    """Can this amount still be paid with pieces that are taken, exactly or with change in the limit?"""
    if _is_sum(amount_centavos, working):
        return True
    if rules.exact_only or stock.coin_centavos <= 0:
        return False
    most = min(rules.change_limit_centavos, stock.coins * stock.coin_centavos)
    return any(
        _is_sum(amount_centavos + over, working)
        for over in range(stock.coin_centavos, most + 1, stock.coin_centavos)
        if stock.can_pay(over)
    )


def _is_sum(amount: int, pieces: frozenset[int]) -> bool:
    if amount == 0:
        return True
    if not pieces:
        return False
    unit, bound, sums = _sums(pieces)
    if amount % unit:
        return False
    return amount // unit > bound or bool(sums >> (amount // unit) & 1)


@lru_cache(maxsize=256)
def _sums(pieces: frozenset[int]) -> tuple[int, int, int]:
    """(greatest common divisor, bound, bits): above the bound every multiple is a sum of pieces."""
    unit = gcd(*pieces)
    sizes = [p // unit for p in pieces]
    bound = min(sizes) * max(sizes)  # the Frobenius number of the set is below it
    sums = 1
    for n in range(1, bound + 1):
        if any(n >= s and sums >> (n - s) & 1 for s in sizes):
            sums |= 1 << n
    return unit, bound, sums
