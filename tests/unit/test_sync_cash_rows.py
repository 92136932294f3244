"""The cash journal in the ledger: kept through a restart, counted since the last cut, added to old files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from municipio.cash import CashCount, CashMovement, MovementKind, count_box, tally
from municipio.clock import Instant, TimeQuality
from municipio.devices import CashPosition, CashUnit
from municipio.facts import FactDraft, FactType
from municipio.payments import Payment, PaymentMethod, PaymentState
from sync.database import APPLICATION_ID
from sync.ledger import SqliteLedger, open_ledger

SCHEMA = Path(__file__).parents[2] / "sync" / "schema"
K, U = MovementKind, CashUnit


class Now:
    def now(self) -> Instant:
        return Instant(datetime(2026, 1, 20, tzinfo=UTC), TimeQuality.SYNCED, "boot", 1)


def opened(path: Path) -> SqliteLedger:
    ledger = open_ledger(path, Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger), ledger
    return ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def test_movements_and_positions_survive_and_a_movement_is_never_written_twice(path: Path) -> None:
    ledger = opened(path)
    coin = CashMovement("a", "k", K.COIN_IN, U.COINS, 500)
    order = CashMovement("b", "k", K.CHANGE_ORDERED, U.HOPPER, 100, 3, dispensed=41)
    ledger.save([coin, CashPosition(U.COINS, 9, 1, 77)])
    ledger.save([coin, order, CashPosition(U.COINS, 9, 2, 78)])
    ledger.close()
    again = opened(path)
    assert again.cash_movements("k") == (coin, order)
    assert again.cash_positions() == (CashPosition(U.COINS, 9, 2, 78),)
    assert tally(again.cash_movements("k")).change_order == order


def test_the_box_is_counted_from_the_last_cut_on(path: Path) -> None:
    ledger = opened(path)
    ledger.save([CashMovement("1", "k", K.COIN_IN, U.COINS, 500)])
    ledger.record(
        FactDraft(FactType.TECHNICIAN_ACTED, {"act": "cash_cut"}),
        lambda n: [
            CashMovement("2", "", K.CUT, U.NOTES, 0),
            CashMovement("3", "", K.HOPPER_SET, U.HOPPER, 100, 80),
        ],
    )
    ledger.save([CashMovement("4", "k", K.NOTE_STACKED, U.NOTES, 5000)])
    ledger.save([CashMovement("5", "k", K.NOTE_STACKED, U.NOTES, 5000)])
    assert CashCount(K.NOTE_STACKED, U.NOTES, 5000, 2) in ledger.cash_counts()
    box = count_box(ledger.cash_counts())
    assert (box.coins_centavos, box.notes_centavos, box.hopper_coins) == (0, 10000, 80)


def test_a_ledger_of_the_first_version_gets_the_cash_tables_and_loses_nothing(path: Path) -> None:
    old = apsw.Connection(str(path))
    old.execute((SCHEMA / "001_ledger.sql").read_text(encoding="utf-8"))
    old.execute("INSERT INTO node (one, node, inegi) VALUES (1, 'COA007', '30039')")
    old.execute("INSERT INTO epoch (epoch, reason) VALUES (1, 'first')")
    body = '{"key":"k","folio":"F","clave":"1","amount_centavos":5,"method":"card",'
    body += '"state":"taken","liquidacion_id":"L"}'
    old.execute("INSERT INTO payment VALUES (1, 'k', '1', 1, ?)", (body,))
    old.pragma("application_id", APPLICATION_ID)
    old.pragma("user_version", 1)
    old.close()
    ledger = opened(path)
    assert ledger.payment("k") == Payment(
        "k", "F", "1", 5, PaymentMethod.CARD, PaymentState.TAKEN, "L"
    )
    assert ledger.cash_counts() == ()
    assert ledger.save([CashMovement("a", "", K.COIN_IN, U.COINS, 500)]) is None
