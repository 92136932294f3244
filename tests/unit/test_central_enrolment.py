"""A technician's code makes a node, once; two cards with one key wait for the staff and lose nothing."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy import func, select, update
from waitress.server import create_server

from captive_portal.server import stop_server
from central.app import create_app
from central.city import City
from central.cli import main as central_main
from central.context import Central
from central.enrolment import MAX_FAILURES
from central.keys import CityKey, create_city_keys
from central.node_simulator import NodeSimulator
from central.nodes import NodeState, add_node, list_nodes, set_state
from central.projector import Projector
from central.schema import enrol_codes, facts, folios
from central.store import Store, open_store
from central.wiring import demo_perfil
from municipio.facts import FactType, Lane
from municipio.site_file.write import write_site_file
from municipio.wire.enrolment import EnrolCode, parse_code
from plaza.cli import main as plaza
from plaza.site.apply import apply_site
from plaza.site.disk import NodeDisk
from plaza.site.enrol import Waiting, try_enrolment
from sync.datadir import DataDir
from sync.enrolment import Enrolled, EnrolTrouble, NotEnrolled, enrol
from sync.site_state import enrol_file

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
CITY = City()


@dataclass
class Street:
    """A city that listens on loopback, with its own clock."""

    store: Store
    db: str
    url: str
    key: CityKey
    app: Flask
    projector: Projector
    now: list[datetime]

    def code(self, *words: str) -> EnrolCode:
        run = CliRunner().invoke(
            central_main,
            ["enrol-code", "--db", self.db, "--json", "--site", "Plaza (demostración)", *words],
        )
        assert run.exit_code == 0, run.output
        code = parse_code(json.loads(run.stdout)["code"])
        assert isinstance(code, EnrolCode)
        return code

    def states(self) -> dict[str, str]:
        return {row.node: row.state for row in list_nodes(self.store, CITY.inegi)}


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    db = f"sqlite:///{tmp_path}/central.sqlite"
    key = create_city_keys(tmp_path / "city-keys")
    store = open_store(db)
    now = [datetime.now(UTC)]
    projector = Projector(store, CITY, lambda: now[0])
    central = Central(store, CITY, key, demo_perfil(), "ficha", lambda: now[0], projector)
    app = create_app(central)
    server = create_server(app, host="127.0.0.1", port=0, threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.effective_port}"
    yield Street(store, db, url, key, app, projector, now)
    stop_server(server)
    thread.join(timeout=10)
    store.close()


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path / "node")


def test_a_preapproved_code_makes_a_node_that_may_send_at_once(
    street: Street, data: DataDir
) -> None:
    done = enrol(data, street.url, street.code("--preapproved"))
    assert isinstance(done, Enrolled)
    assert (done.node, done.site, done.is_approved) == ("COA001", "Plaza (demostración)", True)
    assert street.states() == {"COA001": "active"}
    assert data.city_pub.read_bytes() == street.key.public_pem
    settings = data.settings()
    assert settings.node_code == "COA001"
    assert settings.text("central.url") == street.url
    assert settings.text("node.site") == "Plaza (demostración)"


def test_without_approval_the_node_waits_for_the_staff(street: Street, data: DataDir) -> None:
    done = enrol(data, street.url, street.code())
    assert isinstance(done, Enrolled)
    assert not done.is_approved
    assert street.states() == {"COA001": "waiting"}
    run = CliRunner().invoke(central_main, ["approve", "COA001", "--db", street.db])
    assert run.exit_code == 0, run.output
    assert street.states() == {"COA001": "active"}


def test_the_same_node_may_ask_again_after_a_lost_answer(street: Street, data: DataDir) -> None:
    code = street.code("--preapproved")
    first = enrol(data, street.url, code)
    data.city_pub.unlink()
    data.settings_file.unlink()
    street.now[0] += timedelta(days=30)  # the code is used, so its age does not matter any more
    assert enrol(data, street.url, code) == first
    assert data.city_pub.exists()


def test_a_code_makes_one_node_only(street: Street, data: DataDir, tmp_path: Path) -> None:
    code = street.code("--preapproved")
    assert isinstance(enrol(data, street.url, code), Enrolled)
    second = enrol(DataDir(tmp_path / "other"), street.url, code)
    assert isinstance(second, NotEnrolled)
    assert second.trouble is EnrolTrouble.REFUSED
    assert "code-used" in second.detail
    assert list(street.states()) == ["COA001"]


def test_an_old_code_is_refused(street: Street, data: DataDir) -> None:
    code = street.code("--days", "2")
    street.now[0] += timedelta(days=3)
    refused = enrol(data, street.url, code)
    assert isinstance(refused, NotEnrolled)
    assert "code-expired" in refused.detail


def test_a_new_code_for_a_node_ends_the_former_one(street: Street, data: DataDir) -> None:
    former, newer = street.code("--node", "COA009"), street.code("--node", "COA009")
    street.now[0] += timedelta(seconds=5)
    assert isinstance(enrol(data, street.url, former), NotEnrolled)
    assert isinstance(enrol(data, street.url, newer), Enrolled)


def test_guessing_kills_the_code_and_not_the_city(street: Street, data: DataDir) -> None:
    code = street.code("--preapproved")
    wrong = EnrolCode(code.name, "0" * 12)
    for _ in range(MAX_FAILURES):
        refused = enrol(data, street.url, wrong)
        assert isinstance(refused, NotEnrolled)
        assert "bad-code" in refused.detail
    assert isinstance(enrol(data, street.url, code), NotEnrolled)
    assert street.states() == {}


def test_an_address_that_asks_too_often_has_to_wait(street: Street) -> None:
    client = street.app.test_client()
    statuses = [client.post("/v1/enrolments", data=b"{}").status_code for _ in range(25)]
    assert statuses[:20] == [400] * 20
    assert statuses[-1] == 429


def test_a_card_made_anew_for_a_site_retires_the_former_key(
    street: Street, data: DataDir, tmp_path: Path
) -> None:
    enrol(data, street.url, street.code("--preapproved", "--node", "COA003"))
    again = enrol(
        DataDir(tmp_path / "new"), street.url, street.code("--preapproved", "--node", "COA003")
    )
    assert isinstance(again, Enrolled)
    assert [row.key_id for row in list_nodes(street.store, CITY.inegi)] == [again.key_id]


def test_a_login_page_is_not_the_city(data: DataDir, tmp_path: Path) -> None:
    page = Flask("login")

    @page.post("/v1/enrolments")
    def login() -> tuple[str, int, dict[str, str]]:
        return "<h1>Bienvenido</h1>", 200, {"Content-Type": "application/vnd.plaza.enrolment"}

    server = create_server(page, host="127.0.0.1", port=0, threads=1)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    refused = enrol(data, f"http://127.0.0.1:{server.effective_port}", EnrolCode("K7QF", "2" * 12))
    stop_server(server)
    thread.join(timeout=10)
    assert isinstance(refused, NotEnrolled)
    assert refused.trouble is EnrolTrouble.NOT_THE_CITY
    assert not data.city_pub.exists()


def test_another_city_cannot_answer_for_ours(street: Street, data: DataDir) -> None:
    code = street.code("--preapproved")
    assert isinstance(enrol(data, street.url, code), Enrolled)
    data.city_pub.write_bytes(CityKey(Ed25519PrivateKey.generate()).public_pem)
    refused = enrol(data, street.url, code)
    assert isinstance(refused, NotEnrolled)
    assert refused.trouble is EnrolTrouble.OTHER_IDENTITY


def test_the_command_says_what_to_do_when_nobody_answers(tmp_path: Path) -> None:
    words = ["enrol", "--code", "K7QF-2M9D-XR4T-8WNH", "--data", str(tmp_path / "node")]
    run = CliRunner().invoke(plaza, [*words, "--central", "http://127.0.0.1:9"])
    assert run.exit_code == 1
    assert "run the same command again" in run.stderr
    assert CliRunner().invoke(plaza, ["enrol", "--code", "no"]).exit_code == 2


def test_the_command_enrols(street: Street, tmp_path: Path) -> None:
    code = street.code()
    words = ["enrol", "--code", str(code).lower(), "--data", str(tmp_path / "node")]
    run = CliRunner().invoke(plaza, [*words, "--central", street.url])
    assert run.exit_code == 0, run.output
    assert "plaza-central approve COA001" in run.output


@pytest.mark.parametrize(
    "words",
    [["--site", ""], ["--site", "x" * 101], ["--site", "a\nb"], ["--site", "x", "--node", "nada"]],
)
def test_a_code_needs_a_real_site_and_node(street: Street, words: list[str]) -> None:
    run = CliRunner().invoke(central_main, ["enrol-code", "--db", street.db, *words])
    assert run.exit_code == 1
    assert "Traceback" not in run.output


def test_a_former_code_for_the_citys_own_number_makes_no_node(
    street: Street, data: DataDir
) -> None:
    code = street.code("--preapproved")
    with street.store.begin() as connection:
        connection.execute(update(enrol_codes).values(node="COA000"))

    refused = enrol(data, street.url, code)

    assert isinstance(refused, NotEnrolled)
    assert "COA000 is the city's own number" in refused.detail
    assert street.states() == {}


def send(street: Street, node: NodeSimulator, lane: Lane) -> int:
    path, body = node.batches_path(), node.batch(lane)
    reply = street.app.test_client().post(path, data=body, headers=node.headers("POST", path, body))
    street.projector.run_once()
    return reply.status_code


def counted(street: Street, table: object) -> int:
    with street.store.begin() as connection:
        return connection.scalars(select(func.count()).select_from(table)).one()


def test_two_futures_of_a_chain_are_both_kept_and_neither_counts_until_released(
    street: Street,
) -> None:
    card = NodeSimulator()
    add_node(street.store, CITY.inegi, card.node, card.public, NOW, replace=False)
    card.record(FactType.REPORT_FILED, {})
    assert send(street, card, Lane.REP) == 200
    assert counted(street, folios) == 1

    clone = NodeSimulator(key=card.key)
    clone.record(FactType.REPORT_FILED, {"of": "the clone"})
    assert send(street, clone, Lane.REP) == 409
    assert street.states() == {card.node: "quarantined"}
    clone.epoch = 2  # what a node does whose past the city holds otherwise
    clone.facts[Lane.REP].clear()
    clone.record(FactType.REPORT_FILED, {"of": "the clone"})
    card.record(FactType.REPORT_FILED, {})
    assert send(street, clone, Lane.REP) == 200
    assert send(street, card, Lane.REP) == 200
    assert (counted(street, facts), counted(street, folios)) == (3, 1)
    path = "/v1/predial/0620000101023005000007"
    refused = street.app.test_client().get(path, headers=card.headers("GET", path))
    assert refused.status_code == 403

    run = CliRunner().invoke(central_main, ["release", card.node, "--db", street.db])
    assert run.exit_code == 0, run.output
    street.projector.run_once()
    assert counted(street, folios) == 3


def test_a_revoked_node_stays_revoked_whatever_it_sends(street: Street) -> None:
    card = NodeSimulator()
    add_node(street.store, CITY.inegi, card.node, card.public, NOW, replace=False)
    set_state(street.store, CITY.inegi, card.node, NodeState.REVOKED)
    card.record(FactType.REPORT_FILED, {})
    assert send(street, card, Lane.REP) == 401
    assert street.states() == {card.node: "revoked"}


def test_a_site_files_code_waits_for_a_signal_and_then_joins(
    street: Street, tmp_path: Path
) -> None:
    code = street.code("--node", "COA009", "--preapproved")
    text = write_site_file(
        {
            "site.name": "Plaza (demostración)", "site.number": 9, "city.letters": "COA",
            "city.inegi": CITY.inegi, "city.url": street.url, "city.code": str(code),
            "wifi.ssid": "Plaza Libre",
        }
    )  # fmt: skip
    place, data = tmp_path / "node", DataDir(tmp_path / "node" / "data")
    (place / "boot").mkdir(parents=True)
    (place / "boot/plaza.toml").write_text(text)
    apply_site(NodeDisk(place / "boot", data.path, place / "system"))
    waiting = enrol_file(data).read_text()
    enrol_file(data).write_text(waiting.replace(street.url, "http://127.0.0.1:9"))

    without_signal = try_enrolment(data, timeout_s=2)
    enrol_file(data).write_text(waiting)
    with_signal = try_enrolment(data)
    again = try_enrolment(data)

    assert without_signal.waiting is Waiting.LATER
    assert (with_signal.waiting, with_signal.node) == (None, "COA009")
    assert again.waiting is Waiting.NOTHING
    assert data.city_pub.exists()
    assert street.states()["COA009"] == "active"


def test_the_file_of_the_citys_page_makes_one_node_of_the_first_card_that_holds_it(
    street: Street, tmp_path: Path
) -> None:
    typed = {
        "token": "ficha", "site.name": "Parque Ñandú (demostración)", "city.url": street.url,
        "wifi.ssid": "Plaza Libre",
    }  # fmt: skip
    page = street.app.test_client().post("/sitios/nuevo", data=typed).text
    link = re.search(r'download="plaza.toml" href="data:[^,]+;base64,([^"]+)"', page)
    assert link is not None
    cards = [DataDir(tmp_path / name / "data") for name in ("first", "second")]
    for card in cards:
        boot = card.path.parent / "boot"
        boot.mkdir(parents=True)
        (boot / "plaza.toml.txt").write_bytes(base64.b64decode(link[1]))
        apply_site(NodeDisk(boot, card.path, card.path.parent / "system"))

    joined, refused = (try_enrolment(card) for card in cards)

    assert (joined.waiting, joined.node) == (None, "COA001")
    assert street.states() == {"COA001": "active"}, "nobody had to approve it"
    assert refused.waiting is Waiting.LATER
    assert refused.detail.startswith("code-used")
