"""`plaza site new`, `check`, `prepare` and `keys`: from the question to the card."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from municipio.site_file.form import spec_document
from municipio.site_file.keys import KEYS
from municipio.site_file.shape import Value
from municipio.site_file.write import write_site_file
from plaza.commands.site import site
from plaza.site import SitePlan, parse_site_file
from plaza.site.card import find_boot

ROOT = Path(__file__).parents[2]
SMALL: dict[str, Value] = {
    "site.name": "Parque (demostración)", "site.number": 7, "city.url": "https://p.example",
    "city.letters": "COA", "city.inegi": "30039", "wifi.ssid": "Plaza Libre",
}  # fmt: skip


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "plaza.toml.txt"
    file.write_bytes(write_site_file(SMALL).encode("utf-16"))
    return file


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "malo.toml"
    file.write_text(write_site_file(SMALL).replace("number = 7", 'number = "7"\nnunber = 1'))
    return file


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A disk with an MBR and one FAT partition from the first MiB on, as an image has."""
    file, start, sectors = tmp_path / "plaza.img", 2048, 8192
    entry = struct.pack("<B3sB3sII", 0x80, b"\0\0\0", 0x0C, b"\0\0\0", start, sectors)
    with file.open("wb") as disk:
        disk.write(bytes(446) + entry + bytes(48) + b"\x55\xaa")
        disk.truncate((start + sectors) * 512)
    drive = f"{file}@@{start * 512}"
    subprocess.run(["mformat", "-i", drive, "-v", "PLAZA", "-T", str(sectors), "::"], check=True)
    return file


def test_a_good_file_is_said_to_be_good(good: Path) -> None:
    told = CliRunner().invoke(site, ["check", str(good)])

    assert told.exit_code == 0
    assert "COA007" in told.stdout


def test_a_bad_file_is_told_fault_by_fault(bad: Path) -> None:
    told = CliRunner().invoke(site, ["check", str(bad), "--json"])
    faults = json.loads(told.stdout)["faults"]

    assert told.exit_code == 1
    assert [f["key"] for f in faults] == ["site.number", "site.nunber"]
    assert all(f["line"] for f in faults)


def test_answers_make_a_file_that_its_own_check_accepts(tmp_path: Path) -> None:
    out = tmp_path / "plaza.toml"
    answers = [
        "", "Parque", "mil", "7", "2", "", "https://p.example", "COA", "30039", "", "3", "", "i.x", "",
        "Plaza Libre", "Plaza Libre", "Tecnicos", "corta", "una-clave-larga", "2", "", "4", "",
        "40712885",
    ]  # fmt: skip

    told = CliRunner().invoke(site, ["new", "--out", str(out)], input="\n".join(answers) + "\n")

    plan = parse_site_file(out.read_bytes())
    assert told.exit_code == 0, told.output
    assert isinstance(plan, SitePlan)
    assert plan.text("site.profile") == "portal"
    assert plan.text("uplink.apn") == "i.x"
    assert plan.text("wifi.staff_password") == "una-clave-larga"
    assert plan.text("energy.wake") == "rtc_alarm"
    assert "falta" in told.output, "the empty name was asked again"
    assert "distinto" in told.output, "the staff's network may not be the visitors'"


def test_a_file_that_exists_is_not_overwritten(good: Path) -> None:
    assert CliRunner().invoke(site, ["new", "--out", str(good)]).exit_code == 1


def test_a_card_gets_the_file_and_nothing_is_mounted(image: Path, good: Path) -> None:
    told = CliRunner().invoke(site, ["prepare", str(image), "--site", str(good)])
    again = CliRunner().invoke(site, ["prepare", str(image), "--site", str(good)])

    assert (told.exit_code, again.exit_code) == (0, 0), told.output
    drive = f"{image}@@{find_boot(image.read_bytes()[:512])}"
    found = subprocess.run(["mtype", "-i", drive, "::plaza.toml"], capture_output=True, check=True)
    assert found.stdout == good.read_bytes()


def test_a_file_with_faults_never_reaches_a_card(image: Path, bad: Path) -> None:
    before = image.read_bytes()

    told = CliRunner().invoke(site, ["prepare", str(image), "--site", str(bad)])

    assert told.exit_code == 1
    assert "no se cambió nada" in told.stderr
    assert image.read_bytes() == before


def test_what_is_no_image_of_ours_is_refused(tmp_path: Path, image: Path, good: Path) -> None:
    other = tmp_path / "otra.img"
    other.write_bytes(bytes(4096))
    drive = f"{image}@@{find_boot(image.read_bytes()[:512])}"
    subprocess.run(["mlabel", "-i", drive, "::CAMARA"], check=True)

    for file, words in ((other, "no es una imagen"), (image, "no se llama PLAZA")):
        told = CliRunner().invoke(site, ["prepare", str(file), "--site", str(good)])
        assert told.exit_code == 1
        assert words in told.stderr


def test_the_reference_page_is_of_these_very_keys() -> None:
    told = CliRunner().invoke(site, ["keys", "--markdown"])

    assert told.stdout == (ROOT / "docs/reference/plaza-toml.md").read_text(encoding="utf-8")


def test_the_keys_are_told_to_machines_and_people() -> None:
    document = json.loads(CliRunner().invoke(site, ["keys", "--json"]).stdout)

    assert [k["name"] for k in document["keys"]] == [k.name for k in KEYS]
    assert len(CliRunner().invoke(site, ["keys"]).stdout.splitlines()) == len(KEYS)


def test_what_a_form_says_of_a_field_starts_with_a_word_and_ends_with_one_full_stop() -> None:
    for key in spec_document()["keys"]:
        assert not key["typed"].startswith(("usb:", "tcp:", "/")), key["name"]
        assert not key["typed"].endswith("."), key["name"]
