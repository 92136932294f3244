"""`plaza check`: one answer alone on stdout, or one clear line on stderr and exit 1."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plaza.cli import main

EXAMPLES = Path(__file__).parents[2] / "docs" / "reference" / "ejemplos"
PERFIL = str(EXAMPLES / "perfil-demo.toml")
BBVA = ["reference", "--algorithm", "bbva-10", "--base-year", "2014", "--constant", "2"]
OXXO = ["reference", "--algorithm", "oxxo-25", "--prefix", "09"]
DUE = ["--due", "2026-01-31"]


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def liquidacion(account: str, *more: str) -> Result:
    path = str(EXAMPLES / f"{account}.toml")
    return check("liquidacion", "--perfil", PERFIL, "--account", path, "--on", "2026-01-20", *more)


ANSWERS = [
    (["words", "1200.50"], "MIL DOSCIENTOS PESOS 50/100 M.N."),
    (["words", "0"], "CERO PESOS 00/100 M.N."),
    (["clabe", "032180000118359719"], "032180000118359719"),
    (["clabe", "032 180 00011835971 9"], "032180000118359719"),
    (["clabe", "03218000011835971"], "032180000118359719"),
    ([*BBVA, "--reference", "0390001234", "--amount", "1095.60", *DUE], "039000123444947220"),
    ([*OXXO, "--reference", "0390001234", "--amount", "1095.60", *DUE],
     "0903900012342601311095608"),
    (["clave", "0620000101023005000007"], "06-200-001-01-023-005-00-000-7"),
    (["clave", "270040120010000015", "--mask", "2-3-3-4-6"], "27-004-012-0010-000015"),
    (["folio", "coa007 r1 000123 e"], "COA007-R1-000123-E"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "answer"), ANSWERS)
def test_the_answer_stands_alone_on_stdout(arguments: list[str], answer: str) -> None:
    result = check(*arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (0, answer + "\n", "")


TROUBLES = [
    (["words", "-5"], "«-5» is not an amount"),
    (["words", "1.999"], "«1.999» is not an amount"),
    (["words", "1000000000"], "between 0.00 and 999,999,999.99"),
    (["clabe", "032180000118359718"], "its check digit should be 9"),
    (["clabe", "12"], "it must have 18"),
    (["clabe", "x" * 17], "must have digits only"),
    ([*OXXO, "--reference", "0390001234", "--amount", "10000.00", *DUE],
     "OXXO takes up to 9,999.99"),
    ([*OXXO, "--reference", "39", "--amount", "1", *DUE], "reference «39» has 2 digits"),
    ([*BBVA, "--reference", "1", "--amount", "1", "--due", "2041-01-01"],
     "does not fit four digits from base year 2014"),
    ([*BBVA, "--reference", "1", "--amount", "1", "--due", "31/01/2026"], "is not a date"),
    ([*BBVA, "--reference", "1", "--amount", "0", *DUE], "more than 0.00"),
    (["clave", "123"], "16, 17, 22 digits, not 3"),
    (["clave", "123", "--mask", "x"], "is not a mask"),
    (["folio", "COA007-R1-000123-F"], "last character of the folio"),
    (["liquidacion", "--perfil", "no.toml", "--account", "no.toml", "--on", "2026-01-20"],
     "no.toml: No such file"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), TROUBLES)
def test_trouble_is_one_line_on_stderr_and_exit_1(arguments: list[str], message: str) -> None:
    result = check(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["reference", "--algorithm", "luhn"],
        ["reference", "--algorithm", "bbva-10", "--reference", "1", "--amount", "1", *DUE],
        ["reference", "--algorithm", "oxxo-25", "--reference", "1", "--amount", "1", *DUE],
        ["words"],
        ["nothing"],
    ],
)
def test_a_command_that_was_not_understood_exits_2(arguments: list[str]) -> None:
    result = check(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


@pytest.mark.parametrize(
    ("account", "more", "total"),
    [
        ("cuenta-rezago", [], 723609),
        ("cuenta-al-corriente", [], 109560),
        ("cuenta-al-corriente", ["--pensioner"], 68475),
        ("cuenta-rezago", ["--pensioner"], 723609),
    ],
)
def test_the_examples_give_the_documented_totals(account: str, more: list[str], total: int) -> None:
    result = liquidacion(account, "--json", *more)
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert set(document) == {"rows", "total_centavos", "valid_until"}
    assert document["total_centavos"] == total
    assert document["valid_until"] == "2026-01-31"
    assert sum(row["subtotal_centavos"] for row in document["rows"]) == total


def test_the_json_names_every_column() -> None:
    first = json.loads(liquidacion("cuenta-rezago", "--json").stdout)["rows"][0]
    assert first == {
        "year": 2023,
        "tax_centavos": 110000,
        "adicional_centavos": 11000,
        "factor": "1.1309",
        "update_centavos": 14399,
        "months": 36,
        "surcharge_centavos": 89567,
        "discount_centavos": 0,
        "subtotal_centavos": 224966,
    }


def test_the_table_is_for_people() -> None:
    result = liquidacion("cuenta-al-corriente")
    assert result.exit_code == 0
    assert "Total $ 1,095.60" in result.stdout
    assert "Descuento enero 20 %" in result.stdout
    assert "Válida hasta 2026-01-31" in result.stdout


def test_a_mistake_in_a_file_names_the_file_and_the_key(tmp_path: Path) -> None:
    broken = tmp_path / "perfil.toml"
    broken.write_text((EXAMPLES / "perfil-demo.toml").read_text("utf-8").replace(
        'porcentaje_mensual = "2"', 'porcentage_mensual = "2"'), "utf-8")  # fmt: skip
    account = str(EXAMPLES / "cuenta-rezago.toml")
    result = check(
        "liquidacion", "--perfil", str(broken), "--account", account, "--on", "2026-01-20"
    )
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{broken}: «recargos.porcentaje_mensual» is missing" in result.stderr


@pytest.mark.parametrize("content", [b"not toml", b"\xff\xfe", b'clave = "1"\nclave = "2"'])
def test_a_file_that_is_not_toml_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    account = tmp_path / "cuenta.toml"
    account.write_bytes(content)
    result = check(
        "liquidacion", "--perfil", PERFIL, "--account", str(account), "--on", "2026-01-20"
    )
    assert result.exit_code == 1
    assert str(account) in result.stderr
    assert result.stderr.count("\n") == 1


def test_decimal_pesos_without_quotes_stay_exact(tmp_path: Path) -> None:
    account = tmp_path / "cuenta.toml"
    account.write_text('clave = "1"\n[impuesto_anual_pendiente]\n2026 = 1245.10\n', "utf-8")
    result = check("liquidacion", "--perfil", PERFIL, "--account", str(account),
                   "--on", "2026-02-20", "--json")  # fmt: skip
    assert json.loads(result.stdout)["rows"][0]["tax_centavos"] == 124510


def test_the_installed_command_answers() -> None:
    script = Path(sys.executable).parent / "plaza"
    ran = subprocess.run(
        [str(script), "check", "words", "1200.50"], capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stdout) == (0, "MIL DOSCIENTOS PESOS 50/100 M.N.\n")
