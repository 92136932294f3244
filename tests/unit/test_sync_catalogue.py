"""The catalogue on a node: installed whole or not at all, searched in plain words, swapped while in use."""

import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.content import write_content
from central.demo import content_files, demo_tramites
from municipio.content import (
    RECIPIENTS,
    ContentProblem,
    ContentTrouble,
    encode_recipients,
    encode_values,
)
from municipio.padron import PadronRow, encode_padron
from municipio.predial import (
    Account,
    Liquidacion,
    LiquidacionRow,
    SignedLiquidacion,
    encode_liquidacion,
)
from municipio.technicians import TechnicianList
from municipio.wire.keys import public_pem, verify
from municipio.wire.technician_list import encode_list
from plaza.cli import main
from sync.attachments import AttachmentStore
from sync.carrier import NodeSide, import_from
from sync.catalogue import CatalogueTrouble, SqliteCatalogue
from sync.clock import SystemClock
from sync.content_folder import Installed, install_content
from sync.datadir import DataDir
from sync.keys import NodeKey
from sync.ledger import SqliteLedger, open_ledger
from sync.outbox import Outbox
from sync.uploads import Uploads

AGE_KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
ESCROW_KEY = "age1ggyxu8hsmdl0p6hsyd3grkejx8tfvvqgszuwwylt8jfp0qyz0pssks6tst"
CLAVE = "0603900101023005000007"
NO_DEBT = "0" * 22

QUERIES = {
    "pago predyal": "Pago de predial urbano",
    "pagar predial": "Pago de predial urbano",
    "perdial": "Pago de predial urbano",
    "numero de casa": "Alineamiento y número oficial",
    "no tengo numero": "Alineamiento y número oficial",
    "alin": "Alineamiento y número oficial",
    "acta": "Copia de acta de nacimiento",
    "acta nacimiento": "Copia de acta de nacimiento",
    "acta de nasimiento": "Copia de acta de nacimiento",
    "ACTA DE NACIMIENTO": "Copia de acta de nacimiento",
    "poda arbol": "Poda de árbol",
    "podar un árbol": "Poda de árbol",
    "cortar ramas": "Poda de árbol",
    "tirar arbol": "Derribo de árbol",
    "permiso fiesta calle": "Cierre de calle por fiesta",
    "cerrar la calle para una fiesta": "Cierre de calle por fiesta",
    "agua": "Contrato de toma de agua",
    "contrato de agua": "Contrato de toma de agua",
    "me cortaron el agua": "Reconexión del servicio de agua",
    "recibo de agua muy caro": "Aclaración de consumo de agua",
    "casarme": "Matrimonio en oficialía",
    "me quiero casar": "Matrimonio en oficialía",
    "boda": "Matrimonio en oficialía",
    "divorsio": "Divorcio administrativo",
    "curp": "Asesoría e impresión de CURP",
    "cartiya militar": "Cartilla del Servicio Militar",
    "abrir negosio": "Cédula de empadronamiento (apertura)",
    "permiso para vender tacos": "Comercio en vía pública",
    "vender cerveza": "Licencia con venta de alcohol",
    "lisensia de construcion": "Licencia de casa habitación",
    "barda": "Licencia de obra menor",
    "registrar a mi bebe": "Registro de nacimiento",
    "enterrar": "Inhumación",
    "panteon": "Inhumación",
    "constancia de recidencia": "Constancia de residencia",
    "union libre": "Constancia de unión libre",
    "perdi mi ine": "Constancia de identidad",
    "inapam": "Credencial INAPAM",
    "descuento pensionado": "Alta en padrón de pensionados y jubilados",
    "esterilizar perro": "Esterilización canina y felina",
    "vacuna perro": "Vacunación antirrábica",
    "abogado": "Asesoría jurídica",
    "mordida": "Queja o denuncia contra servidor público",
    "medir terreno": "Deslinde catastral",
    "poner la casa a mi nombre": "Cambio de propietario",
    "factura": "Facturación (CFDI) de pagos municipales",
    "letrero": "Licencia de anuncios",
    "extintores": "Visto bueno de medidas de seguridad",
    "lote baldio": "Limpieza de predio baldío",
    "lampara nueva": "Solicitud de luminaria nueva",
    "muebles viejos": "Recolección especial",
    "multa": "Pago de multas administrativas",
    "tarjeta de salud": "Tarjeta sanitaria",
    "cambio de uso de zuelo": "Cambio de uso de suelo",
}


@dataclass(frozen=True)
class City:
    """A city that publishes into `folder` and a node that trusts it in `data`."""

    folder: Path
    data: Path
    key: Ed25519PrivateKey
    readers: list[SqliteCatalogue] = field(default_factory=list)

    @property
    def catalogue(self) -> Path:
        return self.data / "catalogue.sqlite"

    def read(self) -> SqliteCatalogue:
        """A reader that is closed at the end of the test."""
        self.readers.append(SqliteCatalogue(self.catalogue))
        return self.readers[-1]

    def publish(
        self, version: str = "2026-01-20.1", changes: Mapping[str, bytes] | None = None
    ) -> None:
        write_content(
            self.folder,
            {**demo_files(self.key.sign), **(changes or {})},
            version=version,
            created=date.fromisoformat(version[:10]),
            inegi="30039",
            sign=self.key.sign,
        )

    def install(self, *, allow_older: bool = False) -> Installed | ContentProblem:
        return install_content(
            self.folder,
            self.catalogue,
            verify=partial(verify, self.key.public_key()),
            inegi="30039",
            allow_older=allow_older,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(main, ["content", *arguments, "--data", str(self.data)])
        return result.exit_code, result.stdout, result.stderr


def demo_files(sign: Callable[[bytes], bytes]) -> dict[str, bytes]:
    return {
        **content_files(),
        "recipients.json": encode_recipients({r: [AGE_KEY, ESCROW_KEY] for r in RECIPIENTS}),
        "padron.ndjson": encode_padron(padron(sign)),
    }


def padron(sign: Callable[[bytes], bytes]) -> tuple[PadronRow, ...]:
    row = LiquidacionRow(2026, 124500, 12450, "1", 0, 0, 0, 27390, 109560)
    day, until = date(2026, 1, 20), date(2026, 1, 31)
    liquidacion = Liquidacion("L1", CLAVE, day, until, (row,), 109560, "", "demo")
    payload = encode_liquidacion(liquidacion)
    account = Account(CLAVE, "M. L. H.", "Calle Juárez", "Centro", "urbano")
    return (
        PadronRow(account, SignedLiquidacion(liquidacion, payload, sign(payload))),
        PadronRow(replace(account, clave=NO_DEBT, kind="rustico"), None),
    )


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path / "contenido", tmp_path / "data", Ed25519PrivateKey.generate())
    (made.data / "keys").mkdir(parents=True)
    (made.data / "keys" / "city.pub").write_bytes(public_pem(made.key.public_key()))
    yield made
    for reader in made.readers:
        reader.close()


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteCatalogue]:
    path = tmp_path_factory.mktemp("city")
    made = City(path / "contenido", path, Ed25519PrivateKey.generate())
    made.publish()
    assert isinstance(made.install(), Installed)
    reader = SqliteCatalogue(made.catalogue)
    yield reader
    reader.close()


@pytest.mark.parametrize("query", QUERIES)
def test_citizens_find_the_tramite_among_the_first_three(
    catalogue: SqliteCatalogue, query: str
) -> None:
    assert QUERIES[query] in [h.name for h in catalogue.search_tramites(query)[:3]]


def test_every_tramite_is_found_first_by_its_own_name(catalogue: SqliteCatalogue) -> None:
    for tramite in demo_tramites():
        assert catalogue.search_tramites(tramite.name)[0].id == tramite.id


def test_every_synonym_finds_its_tramite_among_the_first_five(catalogue: SqliteCatalogue) -> None:
    lost = [
        (synonym, tramite.name)
        for tramite in demo_tramites()
        for synonym in tramite.synonyms
        if tramite.id not in [h.id for h in catalogue.search_tramites(synonym, 5)]
    ]
    assert lost == []


@pytest.mark.parametrize(
    "query", ["", "   ", "¿?", "xqzwv", '" OR 1=1 --', "NEAR(", "*", "a" * 999]
)
def test_a_query_that_means_nothing_finds_nothing_and_breaks_nothing(
    catalogue: SqliteCatalogue, query: str
) -> None:
    assert catalogue.search_tramites(query) == () or query == '" OR 1=1 --'


def test_answers_come_while_the_citizen_types(catalogue: SqliteCatalogue) -> None:
    for length in range(1, len("alineamiento") + 1):
        assert catalogue.search_tramites("alineamiento"[:length])


def test_cards_categories_and_hits_are_those_of_the_city(catalogue: SqliteCatalogue) -> None:
    top = catalogue.most_consulted(6)
    assert top[0].name == "Alineamiento y número oficial"
    assert len(top) == 6
    assert catalogue.tramite(top[0].id) in demo_tramites()
    assert catalogue.tramite("COA-T-NO-HAY-1") is None
    assert len(catalogue.categories()) == 7
    assert sum(len(catalogue.tramites_in(c.id)) for c in catalogue.categories()) == 115
    assert {h.cost_label for h in catalogue.most_consulted(115)} >= {
        "Sin costo", "Puede tener un costo", "$ 102.00",
    }  # fmt: skip


def test_the_rest_of_the_content_is_there(catalogue: SqliteCatalogue) -> None:
    assert catalogue.content_date() == date(2026, 1, 20)
    assert catalogue.content_version() == "2026-01-20.1"
    assert catalogue.recipient_keys("contraloria") == (AGE_KEY, ESCROW_KEY)
    assert catalogue.recipient_keys("alcalde") == ()
    assert ("CFE: fallas de luz", "071") in catalogue.emergency_numbers()
    assert "Centro" in catalogue.colonias()
    assert len(catalogue.services()) >= 25
    spanish, english = catalogue.terms("es_MX"), catalogue.terms("en")
    assert spanish is not None
    assert english is not None
    assert spanish.sha256 != english.sha256
    assert catalogue.terms("nhx") is None


def test_an_account_shows_no_name_and_its_liquidacion_as_signed(city: City) -> None:
    city.publish()
    assert city.install() == Installed("2026-01-20.1", date(2026, 1, 20), 115, 2)
    catalogue = city.read()
    account = catalogue.account(CLAVE)
    assert account == Account(CLAVE, "M. L. H.", "Calle Juárez", "Centro", "urbano")
    signed = catalogue.liquidacion(CLAVE)
    assert signed is not None
    assert verify(city.key.public_key(), signed.signature, signed.payload)
    assert catalogue.liquidacion(NO_DEBT) is None
    assert catalogue.account("9" * 22) is None


def test_a_reader_sees_new_content_without_being_opened_again(city: City) -> None:
    catalogue = city.read()
    assert catalogue.problem is CatalogueTrouble.MISSING
    assert catalogue.categories() == ()
    city.publish()
    city.install()
    assert catalogue.problem is None
    assert catalogue.content_version() == "2026-01-20.1"
    city.publish("2026-02-01.1")
    city.install()
    assert catalogue.content_version() == "2026-02-01.1"


def test_many_readers_and_a_swap_never_meet_half_a_catalogue(city: City) -> None:
    city.publish()
    city.install()
    catalogue = city.read()
    wrong: list[int] = []

    def read() -> None:
        for _ in range(60):
            found = len(catalogue.search_tramites("licencia", 50))
            if catalogue.account(CLAVE) is None or found < 5:
                wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for n in range(2, 5):
        city.publish(f"2026-01-20.{n}")
        city.install()
    for reader in readers:
        reader.join()
    assert wrong == []


def _flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(bytes(raw))


@pytest.mark.parametrize(
    ("name", "harm", "trouble"),
    [
        ("tramites.json", _flip, ContentTrouble.CORRUPTED),
        ("padron.ndjson", _flip, ContentTrouble.CORRUPTED),
        ("terms.json", Path.unlink, ContentTrouble.MISSING),
        ("manifest.json", _flip, ContentTrouble.BAD_SIGNATURE),
        ("manifest.sig", _flip, ContentTrouble.BAD_SIGNATURE),
        ("manifest.sig", Path.unlink, ContentTrouble.MISSING),
        ("manifest.json", Path.unlink, ContentTrouble.MISSING),
    ],
)
def test_a_harmed_folder_is_refused_by_file_and_the_old_content_stays(
    city: City, name: str, harm: Callable[[Path], None], trouble: ContentTrouble
) -> None:
    city.publish()
    city.install()
    before = city.catalogue.read_bytes()
    city.publish("2026-02-01.1")
    harm(city.folder / name)
    problem = city.install()
    assert isinstance(problem, ContentProblem)
    assert problem.trouble is trouble
    assert problem.file in {name, "manifest.sig"}
    assert city.catalogue.read_bytes() == before
    assert [p.name for p in city.data.glob(".catalogue-*")] == []


def test_a_bad_padron_line_leaves_the_old_content(city: City) -> None:
    city.publish()
    city.install()
    line = encode_padron(padron(city.key.sign))
    city.publish("2026-02-01.1", {"padron.ndjson": line + b"{}\n"})
    problem = city.install()
    assert isinstance(problem, ContentProblem)
    assert "line 3" in str(problem)
    assert city.read().content_version() == "2026-01-20.1"
    assert [p.name for p in city.data.glob(".catalogue-*")] == []


def test_content_of_another_city_or_of_another_key_is_refused(city: City) -> None:
    city.publish()
    elsewhere = install_content(
        city.folder, city.catalogue, verify=lambda s, m: True, inegi="30193"
    )
    assert isinstance(elsewhere, ContentProblem)
    assert elsewhere.trouble is ContentTrouble.OTHER_CITY
    stranger = Ed25519PrivateKey.generate().public_key()
    forged = install_content(
        city.folder, city.catalogue, verify=partial(verify, stranger), inegi="30039"
    )
    assert isinstance(forged, ContentProblem)
    assert forged.trouble is ContentTrouble.BAD_SIGNATURE
    assert not city.catalogue.exists()


def test_older_content_needs_to_be_asked_for(city: City) -> None:
    city.publish("2026-01-20.10")
    city.install()
    city.publish("2026-01-20.9")
    problem = city.install()
    assert isinstance(problem, ContentProblem)
    assert problem.trouble is ContentTrouble.OLDER
    installed = city.install(allow_older=True)
    assert isinstance(installed, Installed)
    assert installed.version == "2026-01-20.9"


def test_a_draft_that_a_power_cut_left_is_cleared_by_the_next_import(city: City) -> None:
    (city.data / ".catalogue-abc.tmp").write_bytes(b"half")
    city.publish()
    city.install()
    assert [p.name for p in city.data.glob(".catalogue-*")] == []


def test_a_folder_that_cannot_be_written_is_a_problem_and_not_a_crash(city: City) -> None:
    city.publish()
    nowhere = city.data / "missing" / "catalogue.sqlite"
    problem = install_content(city.folder, nowhere, verify=lambda s, m: True, inegi="30039")
    assert isinstance(problem, ContentProblem)
    assert problem.trouble is ContentTrouble.NOT_STORED


@pytest.mark.parametrize("harm", [b"", b"not a database at all", None])
def test_a_catalogue_cut_short_is_empty_and_says_so(city: City, harm: bytes | None) -> None:
    city.publish()
    city.install()
    raw = city.catalogue.read_bytes()
    city.catalogue.write_bytes(raw[: len(raw) // 3] if harm is None else harm)
    catalogue = city.read()
    assert catalogue.search_tramites("predial") == ()
    assert catalogue.account(CLAVE) is None
    assert catalogue.problem is CatalogueTrouble.DAMAGED
    assert isinstance(city.install(), Installed)
    assert catalogue.problem is None
    assert catalogue.account(CLAVE) is not None


def test_a_technician_can_read_the_catalogue_with_plain_sqlite(city: City) -> None:
    city.publish()
    city.install()
    connection = sqlite3.connect(city.catalogue)
    try:
        columns = {r[1] for r in connection.execute("PRAGMA table_info(padron)")}
        assert connection.execute("SELECT count(*) FROM tramites").fetchone() == (115,)
    finally:
        connection.close()
    assert columns == {"row_key", "sealed"}


def test_the_command_installs_and_shows(city: City) -> None:
    city.publish()
    assert city.run("show")[0] == 1
    code, out, _ = city.run("import", str(city.folder), "--json")
    assert (code, json.loads(out)) == (
        0,
        {"ok": True, "version": "2026-01-20.1", "created": "2026-01-20", "tramites": 115,
         "accounts": 2},
    )  # fmt: skip
    code, out, err = city.run("show")
    assert (code, err) == (0, "")
    assert out == "content 2026-01-20.1 of 2026-01-20: 115 trámites, 2 accounts\n"


def technicians(city: City, serial: int) -> bytes:
    first, last = date(2026, 1, 1), date(2026, 3, 31)
    listed = TechnicianList("30039", serial, first, last, ())
    return encode_list(listed, city.key.sign)


def test_a_signed_list_of_technicians_comes_with_the_content(city: City) -> None:
    city.publish()
    beside, held = city.folder / "technicians.json", city.data / "keys" / "technicians.json"
    beside.write_bytes(technicians(city, 7))
    assert city.run("import", str(city.folder))[0] == 0
    assert held.read_bytes() == beside.read_bytes()

    beside.write_bytes(technicians(city, 6))
    code, _, err = city.run("import", str(city.folder))
    assert (code, "older than 7" in err) == (0, True)
    assert held.read_bytes() == technicians(city, 7)


def test_a_stick_brings_the_list_of_technicians_too(city: City, tmp_path: Path) -> None:
    """Content on a stick is the same folder: the list beside it is checked and kept by its serial."""
    city.publish()
    stick, data = tmp_path / "stick", DataDir(city.data)
    content = stick / "PLAZA" / "in" / "30039-COA007" / "content"
    clock = SystemClock()
    ledger = open_ledger(tmp_path / "ledger.sqlite", clock, "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    uploads = Uploads(ledger, AttachmentStore(tmp_path / "attachments"))
    key = NodeKey.create(data)
    here = NodeSide("30039", "COA007", key, city.key.public_key(), Outbox(ledger), uploads, data)
    held = city.data / "keys" / "technicians.json"
    for serial, wanted in ((7, 7), (6, 7), (8, 8)):
        (city.folder / "technicians.json").write_bytes(technicians(city, serial))
        shutil.copytree(city.folder, content, dirs_exist_ok=True)
        done = import_from(stick, here)
        assert done.content, done.refused
        assert held.read_bytes() == technicians(city, wanted)
    (content / "technicians.json").write_bytes(b"{}")
    assert "technicians.json" in import_from(stick, here).refused[0]
    (content / "technicians.json").unlink()
    (content / "technicians.json").symlink_to("/dev/zero")
    assert import_from(stick, here).refused == ["content: technicians.json is not a plain file"]
    assert held.read_bytes() == technicians(city, 8)
    ledger.close()


@pytest.mark.parametrize("forged", [b"{}", b""])
def test_a_list_that_the_city_did_not_sign_refuses_the_whole_folder(
    city: City, forged: bytes
) -> None:
    city.publish()
    listed = forged or technicians(city, 7).replace(b"30039", b"30040")
    (city.folder / "technicians.json").write_bytes(listed)
    code, out, _ = city.run("import", str(city.folder), "--json")

    assert (code, json.loads(out)["file"]) == (1, "technicians.json")
    assert city.run("show")[0] == 1
    assert not (city.data / "keys" / "technicians.json").exists()


def test_the_command_names_the_file_and_the_reason(city: City) -> None:
    city.publish()
    _flip(city.folder / "services.json")
    code, out, err = city.run("import", str(city.folder))
    assert (code, out) == (1, "")
    assert err.startswith("Error: content refused, the installed one stays: services.json: ")
    assert len(err.splitlines()) == 1
    code, out, _ = city.run("import", str(city.folder), "--json")
    assert (code, json.loads(out)["problem"]) == (1, "corrupted")


def test_the_command_needs_a_city_to_trust(city: City) -> None:
    city.publish()
    (city.data / "keys" / "city.pub").unlink()
    code, _, err = city.run("import", str(city.folder))
    assert code == 1
    assert "trusts no city yet" in err
    assert city.run("show", "--nonsense")[0] == 2


def test_content_without_colonias_or_emergency_numbers_is_installed(city: City) -> None:
    city.publish(changes={"colonias.json": encode_values([]), "emergency.json": b"[]"})
    assert isinstance(city.install(), Installed)
    catalogue = city.read()
    assert (catalogue.colonias(), catalogue.emergency_numbers()) == ((), ())
