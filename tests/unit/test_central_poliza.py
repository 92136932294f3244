"""The daily póliza: it balances to the centavo whatever came in, and a closed one never changes."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from central.city import City
from central.demo_padron import known_accounts
from central.poliza import (
    Chart,
    ChartError,
    Deposit,
    Entry,
    Income,
    balance,
    deposit_entries,
    income_entries,
    parse_chart,
    summed,
    to_csv,
)
from central.poliza_books import PolizaError, close_poliza, poliza_of
from central.poliza_cli import poliza
from central.predial import liquidacion_row, liquidate
from central.schema import liquidaciones, payments
from central.schema_money import settlement_lines
from central.store import Store, insert_missing, open_store
from central.wiring import demo_perfil
from municipio.liquidacion import Liquidacion, LiquidacionRow

CITY = City()
DAY = date(2026, 1, 20)
NOW = datetime(2026, 1, 25, 18, 0, tzinfo=UTC)
TEXT = resources.files("central").joinpath("demo_contabilidad.toml").read_text(encoding="utf-8")
CHART = parse_chart(TEXT)
KEY = Ed25519PrivateKey.generate()
centavos = st.integers(0, 10**10)
signed = st.integers(-(10**10), 10**10)


@st.composite
def liquidacion_rows(draw: st.DrawFn) -> LiquidacionRow:
    tax, more, update, surcharge = (draw(centavos) for _ in range(4))
    discount = draw(st.integers(0, tax + more))
    total = tax + more + update + surcharge - discount
    return LiquidacionRow(
        draw(st.integers(2020, 2026)), tax, more, "1", update, 0, surcharge, discount, total
    )


@st.composite
def incomes(draw: st.DrawFn) -> Income:
    rows = tuple(draw(st.lists(liquidacion_rows(), max_size=5)))
    total = sum(row.subtotal_centavos for row in rows)
    owed = Liquidacion("L", "1", DAY, DAY, rows, total, "", "demo")
    return Income(
        folio="F",
        method=draw(st.sampled_from(["cash", "card", "bank", "oxxo", "", "spei"])),
        amount_centavos=draw(st.one_of(st.just(total), centavos)),
        owed_back=draw(st.booleans()),
        day=DAY,
        liquidacion=draw(st.sampled_from([owed, None])),
    )


@st.composite
def deposits(draw: st.DrawFn) -> Deposit:
    kind = draw(st.sampled_from(["adquirente", "banco", "oxxo", "deposito"]))
    return Deposit("F", kind, draw(signed), draw(signed), draw(signed))


def centavos_of(text: str) -> int:
    pesos, _, cents = text.partition(".")
    return int(pesos) * 100 + int(cents)


@given(st.lists(incomes(), max_size=12), st.lists(deposits(), max_size=12))
@settings(max_examples=200, deadline=None)
def test_charges_and_credits_agree_to_the_centavo(
    came: list[Income], reported: list[Deposit]
) -> None:
    entries: list[Entry] = []
    for income in came:
        made = income_entries(income, CHART)
        assert balance(made)[0] == balance(made)[1]
        entries += made
    for deposit in reported:
        made = deposit_entries(deposit, CHART)
        assert balance(made)[0] == balance(made)[1]
        entries += made
    assert balance(summed(entries)) == balance(entries)
    for shown in (entries, summed(entries)):
        rows = list(csv.DictReader(io.StringIO(to_csv(DAY, shown))))
        charges = sum(centavos_of(row["cargo"]) for row in rows)
        assert charges == sum(centavos_of(row["abono"]) for row in rows)
        assert all((row["cargo"] == "0.00") != (row["abono"] == "0.00") for row in rows)


def test_each_concept_goes_to_its_account_and_cri_item() -> None:
    rows = (
        LiquidacionRow(2025, 120_000, 12_000, "1.0369", 4_428, 12, 29_863, 0, 166_291),
        LiquidacionRow(2026, 124_500, 12_450, "1", 0, 0, 0, 0, 136_950),
    )
    owed = Liquidacion("L", "1", DAY, DAY, rows, 303_241, "", "demo")
    made = summed(income_entries(Income("F", "card", 303_241, False, DAY, owed), CHART))
    said = [(e.account.number, e.account.cri, e.charge_centavos, e.credit_centavos) for e in made]
    assert said == [
        ("DEMO-ADQUIRENTE", "", 303_241, 0),
        ("DEMO-ACTUALIZACION", "DEMO-CRI-ACCESORIOS", 0, 4_428),
        ("DEMO-ADICIONAL", "DEMO-CRI-ADICIONAL", 0, 12_450),
        ("DEMO-ADICIONAL-REZAGO", "DEMO-CRI-REZAGO", 0, 12_000),
        ("DEMO-PREDIAL", "DEMO-CRI-PREDIAL", 0, 124_500),
        ("DEMO-PREDIAL-REZAGO", "DEMO-CRI-REZAGO", 0, 120_000),
        ("DEMO-RECARGOS", "DEMO-CRI-ACCESORIOS", 0, 29_863),
    ]


def test_the_commission_of_a_bank_is_its_own_line() -> None:
    made = summed(deposit_entries(Deposit("F", "adquirente", 10_000, 232, 9_768), CHART))
    said = {e.account.number: e.charge_centavos - e.credit_centavos for e in made}
    assert said == {"DEMO-BANCOS": 9_768, "DEMO-COMISIONES": 232, "DEMO-ADQUIRENTE": -10_000}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("recargos =", "recargoz ="), "conceptos.recargoz: unknown key"),
        (('cri = "DEMO-CRI-PREDIAL"', 'cri = ""'), "conceptos.impuesto.cri: missing"),
        (("[conceptos]", "[conseptos]"), "conseptos: unknown key"),
        (('bancos = { cuenta = "DEMO-BANCOS",', "bancos = {"), "cuentas.bancos.cuenta: missing"),
    ],
)
def test_accounts_that_are_missing_are_named(change: tuple[str, str], said: str) -> None:
    with pytest.raises(ChartError, match=said):
        parse_chart(TEXT.replace(*change, 1))


def pay(store: Store, number: int, paid_on: str, state: str = "posted", **more: Any) -> int:
    account = known_accounts(DAY)[number % 3][1].row(CITY.inegi)
    owed = liquidate(demo_perfil(), account["tax"], 0, DAY, KEY.sign)
    row = {"inegi": CITY.inegi, "fact_id": f"fact-{number}", "folio": f"COA007-P1-{number:06d}"}
    row |= {"node": "COA007", "clave": account["clave"], "liquidacion_id": owed.liquidacion.id}
    row |= {"amount_centavos": owed.liquidacion.total_centavos, "method": "card", "state": state}
    row |= {"paid_on": paid_on, "note": "", "posted_at": "2026-01-20T19:00:00.000Z"} | more
    with store.begin() as connection:
        insert_missing(connection, liquidaciones, [liquidacion_row(CITY.inegi, owed)])
        insert_missing(connection, payments, [row])
    return int(row["amount_centavos"])


def line(store: Store, id: str, day: str, state: str, gross: int) -> None:
    texts = dict.fromkeys(("file", "reference", "authorization", "last4", "node", "collection"), "")
    row: dict[str, Any] = {"inegi": CITY.inegi, "id": id, "mapping": "m", "kind": "adquirente"}
    row |= texts | {"due": "", "subject": "F", "day": day, "state": state, "number": 1}
    row |= {"gross_centavos": gross, "commission_centavos": 10, "net_centavos": gross - 10}
    with store.begin() as connection:
        connection.execute(settlement_lines.insert().values(**row, expected_centavos=gross))


def total(store: Store, day: date, chart: Chart = CHART) -> int:
    found = poliza_of(store, CITY, day, chart)
    charge, credit = balance(found.entries)
    assert charge == credit
    return charge


def test_a_day_has_its_payments_and_settled_movements(store: Store) -> None:
    paid = pay(store, 1, "2026-01-20") + pay(store, 2, "", "refund_owed")
    pay(store, 3, "2026-01-21")
    line(store, "a", "2026-01-20", "matched", 5_000)
    line(store, "b", "2026-01-20", "open", 7_000)
    found = poliza_of(store, CITY, DAY, CHART)
    charged = [e for e in found.entries if e.account.number == "DEMO-ADQUIRENTE"]
    assert sum(e.charge_centavos for e in charged) == paid
    assert sum(e.credit_centavos for e in charged) == 5_000
    assert found.waiting == 1


def test_a_closed_poliza_never_changes_and_late_money_goes_into_the_next(store: Store) -> None:
    first = pay(store, 1, "2026-01-20")
    closed = close_poliza(store, CITY, DAY, CHART, NOW)
    late = pay(store, 2, "2026-01-20")
    assert poliza_of(store, CITY, DAY, CHART) == closed
    assert close_poliza(store, CITY, DAY, CHART, NOW).entries == closed.entries
    next_day = date(2026, 1, 21)
    own = pay(store, 3, "2026-01-21")
    following = close_poliza(store, CITY, next_day, CHART, NOW)
    assert (following.late, total(store, next_day) >= late + own) == (1, True)
    methods = [e for e in following.entries if e.account.number == "DEMO-ADQUIRENTE"]
    assert sum(e.charge_centavos for e in methods) == late + own
    assert balance(closed.entries)[0] >= first
    with pytest.raises(PolizaError, match="closed in order"):
        close_poliza(store, CITY, date(2026, 1, 19), CHART, NOW)
    with pytest.raises(PolizaError, match="not over yet"):
        close_poliza(store, CITY, date(2026, 1, 25), CHART, NOW)
    with pytest.raises(PolizaError, match="other accounts"):
        poliza_of(
            store,
            CITY,
            DAY,
            parse_chart(TEXT.replace("DEMO-BANCOS", "X").replace("DEMO-PREDIAL", "Y")),
        )


def test_the_command_prints_csv_and_warns_of_demonstration_accounts(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/c.sqlite"
    opened = open_store(db)
    paid = pay(opened, 1, "2026-01-20")
    opened.close()
    done = CliRunner().invoke(poliza, ["--on", "2026-01-20", "--csv", "--db", db])
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert rows[0]["cuenta"] == "DEMO-ADQUIRENTE"
    assert centavos_of(rows[0]["cargo"]) == paid
    assert "accounts are of the demonstration" in done.stderr
