"""`plaza-central` as a technician types it: real database file, real keys, real process."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pyrage
import pytest
from click.testing import CliRunner, Result

from central.cli import main
from central.demo_padron import make_padron
from central.node_simulator import NodeSimulator
from central.wiring import demo_perfil
from municipio.content import RECIPIENTS, Manifest, read_manifest
from municipio.facts import FactType, Lane
from municipio.padron import PadronRow, read_padron
from municipio.wire.ack import Ack, decode_ack
from municipio.wire.keys import key_id, load_public, public_pem, verify

ON = "2026-01-20"


def plaza_central(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def db(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/city/central.sqlite"


def demo(db: str, content: Path, *more: str) -> dict[str, object]:
    result = plaza_central(
        "demo-data", "--db", db, "--content", content, "--on", ON, "--json", *more
    )
    assert result.exit_code == 0, result.output
    made: dict[str, object] = json.loads(result.output)
    return made


def test_the_demo_city_has_keys_padron_and_signed_content(db: str, tmp_path: Path) -> None:
    made = demo(db, tmp_path / "content")
    assert (made["accounts"], made["version"]) == (2000, "2026-01-20.1")
    keys = tmp_path / "city" / "city-keys"
    assert (keys / "city.key").stat().st_mode & 0o777 == 0o600
    assert all((keys / f"{o}.agekey").stat().st_mode & 0o777 == 0o600 for o in RECIPIENTS)
    city = load_public((keys / "city.pub").read_bytes())
    manifest = read_manifest(
        (tmp_path / "content" / "manifest.json").read_bytes(),
        (tmp_path / "content" / "manifest.sig").read_bytes(),
        verify=lambda signature, message: verify(city, signature, message),
    )
    assert isinstance(manifest, Manifest)
    rows = list(read_padron((tmp_path / "content" / "padron.ndjson").read_bytes()))
    assert len(rows) == 2000
    for row in rows:
        assert isinstance(row, PadronRow)
        assert row.liquidacion is not None
        assert row.liquidacion.liquidacion.valid_until == date(2026, 1, 31)
        assert verify(city, row.liquidacion.signature, row.liquidacion.payload)


def test_the_known_accounts_owe_what_the_worked_example_says(db: str, tmp_path: Path) -> None:
    result = plaza_central("demo-data", "--db", db, "--content", tmp_path / "c", "--on", ON)
    for shown in (
        "06-200-001-01-023-005-00-000-7     $ 7,236.09",
        "06-200-001-01-023-006-00-000-5     $ 1,095.60",
        "06-200-001-01-023-007-00-000-3       $ 684.75",
        "06-200-001-01-023-008-00-000-1         $ 0.00",
    ):
        assert shown in result.output


def test_the_padron_is_varied_and_the_same_every_time() -> None:
    perfil, on = demo_perfil(), date.fromisoformat(ON)
    first, second = (list(make_padron(perfil, on, 2000)) for _ in range(2))
    assert first == second
    assert len({account.clave for account in first}) == 2000
    assert {len(account.clave) for account in first} == {22}
    assert {len(account.annual_tax) for account in first} == {1, 2, 3, 4, 5}
    assert {account.kind for account in first} == {"urbano", "rustico"}
    assert {"", "pensionado"} < {account.benefit for account in first}
    assert any(account.paid_through == 2026 for account in first)
    assert any(account.annual_tax[2026] == "354.00" for account in first)


@pytest.mark.parametrize("on", ["2025-12-31", "2026-02-28", "2026-11-30", "2027-12-15"])
def test_the_demo_city_can_be_made_on_any_date(db: str, tmp_path: Path, on: str) -> None:
    words = ("--accounts", "60", "--on", on)
    result = plaza_central("demo-data", "--db", db, "--content", tmp_path / "c", *words)
    assert result.exit_code == 0, result.output


def test_making_it_again_keeps_the_keys_and_counts_the_version(db: str, tmp_path: Path) -> None:
    keys = tmp_path / "city" / "city-keys"
    demo(db, tmp_path / "content", "--accounts", "8")
    before = {path.name: path.read_bytes() for path in keys.iterdir()}
    again = demo(db, tmp_path / "content", "--accounts", "8", "--recipients-out",
                 str(tmp_path / "out"))  # fmt: skip
    assert again["version"] == "2026-01-20.2"
    assert {path.name: path.read_bytes() for path in keys.iterdir()} == before
    sealed = pyrage.encrypt(
        b"queja",
        [pyrage.x25519.Recipient.from_str((tmp_path / "out" / "siac.txt").read_text().split()[0])],
    )
    identity = pyrage.x25519.Identity.from_str((keys / "siac.agekey").read_text().strip())
    assert pyrage.decrypt(sealed, [identity]) == b"queja"


def test_a_folder_that_is_no_content_is_never_replaced(db: str, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_bytes(b"")
    result = plaza_central("demo-data", "--db", db, "--content", tmp_path / "photos")
    assert result.exit_code == 1
    assert "it would be replaced whole" in result.output
    assert (tmp_path / "photos" / "one.jpg").exists()


def test_nodes_are_added_listed_and_revoked(db: str, tmp_path: Path) -> None:
    node, pem = NodeSimulator(), tmp_path / "node.pub"
    pem.write_bytes(public_pem(node.public))
    for _ in range(2):
        added = plaza_central("node", "add", "COA007", "--key", pem, "--db", db)
        assert (added.exit_code, key_id(node.public) in added.output) == (0, True)
    listed = json.loads(plaza_central("node", "list", "--db", db, "--json").output)
    assert [(row["node"], row["state"]) for row in listed] == [("COA007", "active")]
    assert plaza_central("node", "revoke", "COA007", "--db", db).exit_code == 0
    assert "revoked" in plaza_central("node", "list", "--db", db).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["node", "add", "coa7", "--key", "KEY"], "not a node code"),
        (["node", "add", "COA000", "--key", "KEY"], "the city's own number"),
        (["enrol-code", "--site", "Plaza", "--node", "COA000"], "the city's own number"),
        (["node", "add", "COA007", "--key", "NOWHERE"], "No such file"),
        (["node", "add", "COA007", "--key", "JUNK"], "not a public key"),
        (["node", "revoke", "COA001"], "not registered"),
        (["run"], "no city key at"),
        (["key", "show"], "no city key at"),
    ],
)
def test_trouble_is_one_clear_line_and_exit_1(
    db: str, tmp_path: Path, words: list[str], said: str
) -> None:
    (tmp_path / "KEY").write_bytes(public_pem(NodeSimulator().public))
    (tmp_path / "JUNK").write_bytes(b"junk")
    paths = [str(tmp_path / word) if word.isupper() and len(word) < 8
             and not word.startswith("COA") else word for word in words]  # fmt: skip
    result = plaza_central(*paths, "--db", db)
    assert result.exit_code == 1
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://localhost/x", "unknown database kind"),
        ("postgresql://u:secret@/x?host=/nowhere", "cannot open postgresql"),
        ("sqlite:////proc/nowhere/x.sqlite", "cannot open"),
    ],
)
def test_a_database_that_cannot_be_opened_says_why_and_no_password(url: str, said: str) -> None:
    result = plaza_central("node", "list", "--db", url)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "secret" not in result.output


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--listen", "8311"],
        ["demo-data"],
        ["nothing"],
        ["run", "--listen", "a:b"],
        ["key", "show", "--db", "postgresql://localhost/city"],
    ],
)
def test_wrong_usage_is_exit_2(words: list[str]) -> None:
    assert plaza_central(*words).exit_code == 2


def test_the_server_serves_and_ends_when_it_is_told(db: str, tmp_path: Path) -> None:
    assert plaza_central("key", "create", "--db", db).exit_code == 0
    node, pem = NodeSimulator(), tmp_path / "node.pub"
    pem.write_bytes(public_pem(node.public))
    plaza_central("node", "add", node.node, "--key", pem, "--db", db)
    command = [sys.executable, "-P", "-m", "central", "run", "--db", db]
    server = subprocess.Popen(
        [*command, "--listen", "127.0.0.1:0", "--staff-token", "ficha"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    talk = ExitStack()
    try:
        assert server.stdout is not None
        url = urlsplit(server.stdout.readline().split()[-1])
        assert server.stdout.readline().rstrip().startswith("staff page: http://127.0.0.1:")
        port = int(url.port or 0)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        talk.callback(connection.close)
        node.record(FactType.REPORT_FILED, {"service_code": "bache"})
        path, body = node.batches_path(), node.batch(Lane.REP)
        connection.request("POST", path, body, node.headers("POST", path, body))
        city = load_public((tmp_path / "city" / "city-keys" / "city.pub").read_bytes())
        assert isinstance(decode_ack(connection.getresponse().read(), city), Ack)
        # Another process may look while the server runs.
        assert "1 facts" in plaza_central("node", "list", "--db", db).output
        stored = plaza_central("facts", "--db", db, "--node", "COA007", "--lane", "rep")
        assert stored.stdout_bytes == node.facts[Lane.REP][0] + b"\n"
        assert plaza_central("facts", "--db", db, "--lane", "pay").output == ""
        connection.request("GET", "/?token=ficha")
        assert "report.filed" in connection.getresponse().read().decode()
    finally:
        talk.close()
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=10)
    assert server.returncode == 0
    assert "ficha" not in err
    assert out == ""
