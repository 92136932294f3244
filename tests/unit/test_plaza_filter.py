"""`plaza filter` as a person or a program at the city calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from municipio.wire.keys import public_pem
from plaza.cli import main
from sync.datadir import DataDir

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    return lambda *words: CliRunner().invoke(main, ["filter", *map(str, words)])


@pytest.fixture
def built(tmp_path: Path, run: Run) -> Path:
    (tmp_path / "adult.txt").write_text("malo.example\n")
    (tmp_path / "juegos.txt").write_text("0.0.0.0 juego.example # x\n0.0.0.0 malo.example\n")
    (tmp_path / "banco.txt").write_text("# bancos\nbanco.malo.example\n")
    out = tmp_path / "lista.cdb"
    done = run(
        "build", tmp_path / "adult.txt", f"gambling={tmp_path / 'juegos.txt'}", "--out", out,
        "--allow", tmp_path / "banco.txt", "--date", "2026-01-10", "--notice", "demostración",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "2026-01-10" in done.output
    return out


@pytest.fixture
def city(tmp_path: Path) -> tuple[Path, Path]:
    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "city.key", tmp_path / "city.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(public_pem(key.public_key()))
    return private, public


def test_each_name_gets_a_line_with_its_categories_or_allowed(built: Path, run: Run) -> None:
    done = run(
        "test", "--db", built, "www.malo.example", "banco.malo.example", "MX", "juego.example."
    )
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "www.malo.example\tadult,gambling",
        "banco.malo.example\tallowed",
        "MX\tallowed",
        "juego.example.\tgambling",
    ]


def test_check_says_what_a_file_holds_and_whose_it_is(
    built: Path, run: Run, city: tuple[Path, Path]
) -> None:
    private, public = city
    plain = run("check", built)
    assert plain.exit_code == 0
    assert "not signed" in plain.output
    assert "demostración" in plain.output
    assert run("check", built, "--key", public).exit_code == 1
    assert run("sign", built, "--key", private).exit_code == 0
    assert run("sign", built, "--key", private).exit_code == 1
    whole = json.loads(run("check", built, "--key", public, "--json").output)
    assert whole["signature"] == "signed by the city"
    assert whole["categories"] == {"adult": 1, "gambling": 2}


@pytest.mark.parametrize("raw", [b"", b"no es una lista", b"\xff" * 3000])
def test_a_file_that_is_no_list_is_one_clear_line(tmp_path: Path, run: Run, raw: bytes) -> None:
    path = tmp_path / "x.cdb"
    path.write_bytes(raw)
    for words in (("check", path), ("test", "--db", path, "a.mx"), ("check", tmp_path / "nada")):
        done = run(*words)
        assert done.exit_code == 1
        assert done.output.startswith("Error: ")
        assert len(done.output.splitlines()) == 1


def test_a_node_takes_the_citys_list_and_says_its_age(
    built: Path, run: Run, city: tuple[Path, Path], tmp_path: Path
) -> None:
    data = DataDir(tmp_path / "nodo")
    data.create()
    no_list = run("status", "--data", data.path, "--baseline", tmp_path / "nada")
    assert no_list.exit_code == 1
    assert "only the walled garden resolves" in no_list.output
    assert run("install", "--data", data.path, built).exit_code == 1
    data.city_pub.write_bytes(city[1].read_bytes())
    refused = run("install", "--data", data.path, built)
    assert refused.exit_code == 1
    assert "not signed" in refused.output
    run("sign", built, "--key", city[0])
    assert run("install", "--data", data.path, built).exit_code == 0
    told = run("status", "--data", data.path)
    assert told.exit_code == 0
    assert "from the city" in told.output
    assert "days old" in told.output
    assert json.loads(run("status", "--data", data.path, "--json").output)["list"]["names"] > 2


def test_the_report_is_also_for_machines(tmp_path: Path, run: Run) -> None:
    (tmp_path / "adult.txt").write_text("malo.example\ncom.mx\n")
    words = ("build", tmp_path / "adult.txt", "--out", tmp_path / "o", "--json")
    document = json.loads(run(*words).output)
    assert document["categories"] == {"adult": 1}
    assert document["lists"][0]["samples"] == {
        "covers a whole top-level domain or registry": ["com.mx"]
    }


def test_a_mistake_is_one_clear_line(tmp_path: Path, run: Run, city: tuple[Path, Path]) -> None:
    (tmp_path / "lista.txt").write_text("malo.example\n")
    out = ("--out", tmp_path / "o")
    assert "CATEGORY=" in run("build", tmp_path / "lista.txt", *out).output
    assert run("build", "adult=" + str(tmp_path / "nada"), *out).exit_code == 1
    assert run("build", f"adult={tmp_path / 'lista.txt'}", *out, "--date", "ayer").exit_code == 2
    assert run("build", *out).exit_code == 2
    assert run("sign", tmp_path / "lista.txt", "--key", city[0]).exit_code == 1


def test_the_images_list_is_signed_always_the_same_and_says_that_it_is_a_demonstration(
    tmp_path: Path, run: Run, city: tuple[Path, Path]
) -> None:
    first, second = tmp_path / "1.cdb", tmp_path / "2.cdb"
    for out in (first, second):
        assert run("baseline", "--out", out, "--key", city[0]).exit_code == 0
    assert first.read_bytes() == second.read_bytes()
    told = run("check", first, "--key", city[1])
    assert told.exit_code == 0
    assert "demostración" in told.output
    lines = run(
        "test", "--db", first, "dns.google", "adultos.demostracion.example", "gob.mx"
    ).output
    assert lines.splitlines() == [
        "dns.google\tdoh-vpn",
        "adultos.demostracion.example\tadult",
        "gob.mx\tallowed",
    ]
