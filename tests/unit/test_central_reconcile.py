"""Reconciliation on both engines: real facts of a node, real files, a mapping for each."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from central.city import City
from central.demo_padron import known_accounts
from central.ingest import Taken, take_batch
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.predial import liquidacion_row, liquidate
from central.reconcile import Reconciled, import_file, reconcile
from central.reconcile_cli import reconcile_command
from central.schema import accounts, folios, liquidaciones, payments
from central.settlements import FileMapping, SettlementError, parse_mapping, read_file
from central.store import Store, insert_missing, open_store
from central.wiring import demo_perfil
from municipio.facts import FactType, Lane
from municipio.liquidacion import Liquidacion
from municipio.references import bbva_10, collection_reference, oxxo_25
from municipio.wire.batch import Batch, decode_batch

CITY = City()
DAY = date(2026, 1, 20)
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
LATER = datetime(2026, 2, 10, 18, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()
CARD_HEAD = (
    "Id movimiento,Fecha de venta,Importe bruto,Comisión,IVA de la comisión,Importe neto,"
    "Autorización,Tarjeta,Referencia del comercio,Tipo\n"
)


def demo_mapping(name: str) -> FileMapping:
    folder = resources.files("central").joinpath("demo/conciliacion")
    return parse_mapping(folder.joinpath(f"{name}-demo.toml").read_text(encoding="utf-8"))


class Town:
    """A store with the known accounts, a node, and what the acquirer and the bank say of them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.node = NodeSimulator()
        self.owed: list[Liquidacion] = []
        add_node(store, CITY.inegi, self.node.node, self.node.public, NOW, replace=False)
        with store.begin() as connection:
            for _, account in known_accounts(DAY)[:3]:
                row = account.row(CITY.inegi)
                insert_missing(connection, accounts, [row])
                signed = liquidate(demo_perfil(), row["tax"], 0, DAY, KEY.sign)
                self.owed.append(signed.liquidacion)
                insert_missing(connection, liquidaciones, [liquidacion_row(CITY.inegi, signed)])

    def charge(self, owed: Liquidacion, end: FactType, key: str, **more: Any) -> str:
        about = {"key": key, "clave": owed.clave, "liquidacion_id": owed.id, "method": "card"}
        about["amount_centavos"] = owed.total_centavos
        self.node.record(FactType.PAYMENT_INTENDED, about)
        folio = self.node.folio(Lane.PAY)
        self.node.record(end, {**about, "folio": folio, **more})
        return folio

    def pase(self, owed: Liquidacion) -> tuple[str, str]:
        data = {"clave": owed.clave, "liquidacion_id": owed.id, "due": owed.valid_until.isoformat()}
        self.node.record(FactType.PASE_ISSUED, {**data, "amount_centavos": owed.total_centavos})
        seq = len(self.node.facts[Lane.PAY])
        return self.node.folio(Lane.PAY), collection_reference("039", 7, seq)

    def cut(self, counted: int, difference: int = 0) -> str:
        data = {"action": "cash_cut", "counted_centavos": counted}
        self.node.record(FactType.TECHNICIAN_ACTED, {**data, "difference_centavos": difference})
        return self.node.folio(Lane.VIT)

    def deliver(self) -> None:
        for lane in (Lane.PAY, Lane.VIT):
            if self.node.facts[lane]:
                batch = decode_batch(self.node.batch(lane))
                assert isinstance(batch, Batch)
                assert isinstance(take_batch(self.store, CITY.inegi, batch, NOW), Taken)

    def bring(self, mapping: str, text: str, at: datetime = NOW) -> Reconciled:
        known = demo_mapping(mapping)
        file = read_file(text.encode(), known)
        import_file(self.store, CITY, f"{mapping}.csv", file, known, at)
        return reconcile(self.store, CITY, at)

    def state(self, folio: str) -> str:
        with self.store.begin() as connection:
            return connection.scalars(select(folios.c.state).where(folios.c.folio == folio)).one()

    def paid_through(self, clave: str) -> int:
        mine = select(accounts.c.paid_through).where(accounts.c.clave == clave)
        with self.store.begin() as connection:
            return connection.scalars(mine).one()

    def payments(self) -> list[tuple[str, str, int]]:
        p = payments.c
        with self.store.begin() as connection:
            rows = connection.execute(select(p.folio, p.state, p.amount_centavos)).all()
        return sorted((row.folio, row.state, row.amount_centavos) for row in rows)


@pytest.fixture
def town(store: Store) -> Town:
    return Town(store)


def sale(id: str, gross: int, *, auth: str = "", ref: str = "", kind: str = "VENTA") -> str:
    commission, vat = gross // 50, gross // 300
    pesos = [
        f"{c // 100}.{c % 100:02d}" for c in (gross, commission, vat, gross - commission - vat)
    ]
    return f"{id},20/01/2026,{','.join(pesos)},{auth},4242,{ref},{kind}\n"


def kinds(found: Reconciled) -> list[tuple[str, str]]:
    return sorted((one.kind, one.subject) for one in found.differences)


def test_a_charge_that_the_acquirer_reports_is_no_difference(town: Town) -> None:
    owed = town.owed[1]
    town.charge(owed, FactType.PAYMENT_TAKEN, "k1", authorization="A00001", card_last4="4242")
    town.deliver()
    found = town.bring("adquirente", CARD_HEAD + sale("1", owed.total_centavos, auth="A00001"))
    assert (found.matched, found.differences) == (1, ())
    assert town.bring("adquirente", CARD_HEAD).differences == ()


def test_an_unknown_charge_that_was_made_closes_the_debt_before_the_next_question(
    town: Town,
) -> None:
    owed = town.owed[1]
    folio = town.charge(owed, FactType.PAYMENT_UNKNOWN, "k1", cause="no_answer")
    town.deliver()
    before = reconcile(town.store, CITY, NOW)
    assert kinds(before) == [("unknown", folio)]
    found = town.bring("adquirente", CARD_HEAD + sale("1", owed.total_centavos, auth="A7"))
    assert (found.resolved, found.differences) == (1, ())
    assert (town.state(folio), town.paid_through(owed.clave)) == ("Pagado", 2026)
    # The node learns it later from its terminal, or wrongly that nothing happened: no second payment.
    money = {"folio": folio, "clave": owed.clave, "liquidacion_id": owed.id, "method": "card"}
    money["amount_centavos"] = owed.total_centavos  # type: ignore[assignment]
    town.node.record(FactType.PAYMENT_RESOLVED, {**money, "outcome": "cancelled"})
    town.deliver()
    assert reconcile(town.store, CITY, NOW).differences == ()
    assert (town.state(folio), len(town.payments())) == ("Pagado", 1)


def test_two_unknown_charges_of_one_amount_are_never_guessed(town: Town) -> None:
    owed = town.owed[1]
    first = town.charge(owed, FactType.PAYMENT_UNKNOWN, "k1")
    second = town.charge(owed, FactType.PAYMENT_UNKNOWN, "k2")
    town.deliver()
    found = town.bring("adquirente", CARD_HEAD + sale("1", owed.total_centavos, auth="A7"))
    assert [kind for kind, _ in kinds(found)] == ["unknown", "unknown", "unmatched"]
    named = town.bring("adquirente", CARD_HEAD + sale("2", owed.total_centavos, ref="k2"))
    assert ("unknown", second) not in kinds(named)
    assert (town.state(first), town.state(second)) == ("En verificación", "Pagado")


def test_an_unknown_charge_that_no_acquirer_reports_was_never_made(town: Town) -> None:
    folio = town.charge(town.owed[1], FactType.PAYMENT_UNKNOWN, "k1")
    town.deliver()
    later = sale("9", 100, auth="Z").replace("20/01/2026", "28/01/2026")
    found = town.bring("adquirente", CARD_HEAD + later, LATER)
    assert town.state(folio) == "Cancelado"
    assert [kind for kind, _ in kinds(found)] == ["unmatched"]
    assert town.paid_through(town.owed[1].clave) == 0


def test_money_that_no_acquirer_reports_is_missing_after_the_grace(town: Town) -> None:
    folio = town.charge(town.owed[1], FactType.PAYMENT_TAKEN, "k1", authorization="A1")
    town.deliver()
    assert reconcile(town.store, CITY, NOW).differences == ()
    found = reconcile(town.store, CITY, LATER).differences
    assert [(d.kind, d.subject, d.age_days) for d in found] == [("missing", folio, 21)]
    arrived = town.bring(
        "adquirente", CARD_HEAD + sale("1", town.owed[1].total_centavos, auth="A1")
    )
    assert arrived.differences == ()


def test_one_charge_reported_twice_is_doubled_and_owed_back_until_it_is_returned(
    town: Town,
) -> None:
    owed = town.owed[1]
    amount = owed.total_centavos
    folio = town.charge(owed, FactType.PAYMENT_TAKEN, "k1", authorization="A1")
    town.deliver()
    twice = CARD_HEAD + sale("1", amount, auth="A1") + sale("2", amount, auth="A1")
    found = town.bring("adquirente", twice)
    assert kinds(found) == [("doubled", folio), ("refund_owed", folio)]
    assert town.payments() == [(folio, "posted", amount), (folio, "refund_owed", amount)]
    assert town.state(folio) == "Devolución en trámite"
    back = town.bring("adquirente", CARD_HEAD + sale("3", amount, auth="A1", kind="DEVOLUCION"))
    assert kinds(back) == []
    assert town.state(folio) == "Pagado"


def test_one_debt_paid_by_card_and_at_the_bank_is_owed_back(town: Town) -> None:
    owed = town.owed[1]
    pase, reference = town.pase(owed)
    card = town.charge(owed, FactType.PAYMENT_TAKEN, "k1", authorization="A1")
    town.deliver()
    window = bbva_10(reference, owed.total_centavos, owed.valid_until, 2014, 2)
    line = f"2026-01-21,{owed.total_centavos / 100:.2f},0.00,{window}\n"
    found = town.bring("banco", "Fecha,Abono,Comisión,Referencia\n" + line)
    assert kinds(found) == [("refund_owed", pase)]
    assert (town.state(card), town.state(pase)) == ("Pagado", "Devolución en trámite")


def test_a_pase_paid_at_the_bank_or_at_oxxo_closes_its_debt(town: Town) -> None:
    _, small, other = town.owed
    folio, reference = town.pase(small)
    at_shop, shop_reference = town.pase(other)
    town.deliver()
    window = bbva_10(reference, small.total_centavos, small.valid_until, 2014, 2)
    line = f"2026-01-21,{small.total_centavos / 100:.2f},5.80,{window}\n"
    found = town.bring("banco", "Fecha,Abono,Comisión,Referencia\n" + line)
    assert (found.pases_paid, found.differences) == (1, ())
    code = oxxo_25("09", shop_reference, other.total_centavos, other.valid_until)
    found = town.bring(
        "oxxo", f"FECHA|IMPORTE|COMISION|CODIGO\n20260122|{other.total_centavos}|800|{code}\n"
    )
    assert (found.pases_paid, found.differences) == (1, ())
    assert {town.state(folio), town.state(at_shop)} == {"Pagado"}
    assert {town.paid_through(o.clave) for o in (small, other)} == {2026}


def test_less_money_than_a_pase_closes_nothing(town: Town) -> None:
    owed = town.owed[1]
    folio, reference = town.pase(owed)
    town.deliver()
    window = bbva_10(reference, owed.total_centavos, owed.valid_until, 2014, 2)
    found = town.bring("banco", f"Fecha,Abono,Comisión,Referencia\n2026-01-21,1.00,0,{window}\n")
    assert [kind for kind, _ in kinds(found)] == ["unmatched"]
    assert (town.state(folio), town.paid_through(owed.clave)) == ("Emitido", 0)


def test_a_cut_waits_for_its_deposit_and_its_own_difference_stays(town: Town) -> None:
    right, short = town.cut(50_000), town.cut(70_000, -200)
    town.deliver()
    late = reconcile(town.store, CITY, LATER)
    assert kinds(late) == [("amount", short), ("missing", right), ("missing", short)]
    slips = f"1,2026-01-21,500.00,COA007,\n2,2026-01-21,690.00,COA007,{short}\n"
    found = town.bring("deposito", f"Ficha,Fecha,Importe,Kiosco,Corte\n{slips}", LATER)
    assert kinds(found) == [("amount", short), ("amount", short)]


def test_the_same_file_and_the_same_movement_count_once(town: Town) -> None:
    owed = town.owed[1]
    town.charge(owed, FactType.PAYMENT_TAKEN, "k1", authorization="A1")
    town.deliver()
    mapping = demo_mapping("adquirente")
    day = CARD_HEAD + sale("1", owed.total_centavos, auth="A1")
    week = day + sale("2", 500, auth="B")
    said = []
    for text in (day, day, week):
        file = read_file(text.encode(), mapping)
        taken = import_file(town.store, CITY, "f.csv", file, mapping, NOW)
        said.append((taken.lines, taken.fresh, taken.again))
        found = reconcile(town.store, CITY, NOW)
    assert said == [(1, 1, False), (1, 0, True), (2, 1, False)]
    assert [kind for kind, _ in kinds(found)] == ["unmatched"]
    assert reconcile(town.store, CITY, NOW).matched == 0


def test_the_command_reads_files_and_lists(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/c.sqlite"
    opened = open_store(db)
    town = Town(opened)
    town.charge(town.owed[1], FactType.PAYMENT_TAKEN, "k1", authorization="A1")
    town.deliver()
    opened.close()
    file = tmp_path / "enero.csv"
    file.write_text(CARD_HEAD + sale("1", 4200, auth="A1"), encoding="utf-8")
    mapping = resources.files("central").joinpath("demo/conciliacion/adquirente-demo.toml")
    words = [str(file), "--mapping", str(mapping), "--db", db, "--at", "2026-02-10"]
    done = CliRunner().invoke(reconcile_command, words)
    assert done.exit_code == 0, done.output
    assert "1 of 1 movements are new" in done.output
    assert "another amount than in the books" in done.output
    file.write_text(CARD_HEAD + "1,20/01/2026,mucho,,,,,,,VENTA\n", encoding="utf-8")
    done = CliRunner().invoke(reconcile_command, words)
    assert done.exit_code == 1
    assert "line 2, importe: «mucho» is no amount; nothing of it was taken" in done.output


@given(
    st.lists(st.integers(1, 10**12), max_size=20), st.sampled_from(["pesos", "coma", "centavos"])
)
@settings(max_examples=100, deadline=None)
def test_every_centavo_of_a_file_is_read(amounts: list[int], spelling: str) -> None:
    doc = (
        'nombre = "x"\nclase = "banco"\nseparador = ";"\nfecha = "%Y-%m-%d"\n'
        f'importes = "{"centavos" if spelling == "centavos" else "pesos"}"\n'
        f'decimal = "{"," if spelling == "coma" else "."}"\n'
        '[columnas]\nfecha = "F"\nimporte = "I"\n'
    )
    texts = {
        "pesos": lambda c: f"$ {c // 100:,}.{c % 100:02d}",
        "coma": lambda c: f"{c // 100},{c % 100:02d}",
        "centavos": lambda c: str(c),
    }
    rows = "".join(f"2026-01-20;{texts[spelling](c)}\n" for c in amounts)
    read = read_file(f"F;I\n{rows}".encode(), parse_mapping(doc))
    assert [line.gross_centavos for line in read.lines] == amounts
    assert [line.net_centavos for line in read.lines] == amounts
    assert len({line.id for line in read.lines}) == len(amounts)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("clase =", "clasee ="), "clasee: unknown key"),
        (('clase = "adquirente"', 'clase = "tienda"'), "clase: «tienda» is not one of"),
        (('fecha = "Fecha de venta"', ""), "columnas.fecha: missing"),
        (("[movimientos]", "[movimientos]\nabono = []"), "movimientos.abono: unknown key"),
    ],
)
def test_a_mapping_that_cannot_be_meant_names_its_key(change: tuple[str, str], said: str) -> None:
    folder = resources.files("central").joinpath("demo/conciliacion")
    text = folder.joinpath("adquirente-demo.toml").read_text(encoding="utf-8")
    with pytest.raises(SettlementError, match=said):
        parse_mapping(text.replace(*change, 1))
