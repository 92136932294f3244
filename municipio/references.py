"""Reference numbers of a pase de caja: bank window (BBVA algorithm 10), OXXO (Base 10) and CLABE.

Base year, constant, prefix and lengths are the bank agreement's configuration. Every city certifies
its own with the bank's workbook before it prints one. Bad input raises ReferenceProblem.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

_AMOUNT_WEIGHTS = (7, 3, 1)
_MOD97_WEIGHTS = (11, 13, 17, 19, 23)
_CLABE_WEIGHTS = (3, 7, 1)

OXXO_MAX_CENTAVOS = 999_999
"""9,999.99: the barcode has six digits for the amount."""
MAX_AMOUNT_CENTAVOS = 99_999_999_999


class ReferenceProblem(ValueError):
    """Input that has no reference; the message says which part and why."""


def condensed_date(day: date, base_year: int) -> int:
    """The four-digit *fecha condensada*: every month counts 31 days, every year 372.

    The same number means another day under another base year. Outside 0..9999 it does not exist.
    """
    number = (day.year - base_year) * 372 + (day.month - 1) * 31 + day.day - 1
    if not 0 <= number <= 9999:
        raise ReferenceProblem(
            f"date {day.isoformat()} does not fit four digits from base year {base_year}"
        )
    return number


def read_condensed_date(number: int, base_year: int) -> date:
    """Inverse of `condensed_date`. Raises ReferenceProblem for a day that no calendar has."""
    if not 0 <= number <= 9999:
        raise ReferenceProblem(f"condensed date {number} is not in 0..9999")
    years, rest = divmod(number, 372)
    months, days = divmod(rest, 31)
    try:
        return date(base_year + years, months + 1, days + 1)
    except ValueError:
        raise ReferenceProblem(f"condensed date {number:04d} is no day of the calendar") from None


def condensed_amount(amount_centavos: int) -> int:
    """The one-digit *importe condensado*: digits times 7, 3, 1 from the right, mod 10."""
    digits = str(_checked_amount(amount_centavos, MAX_AMOUNT_CENTAVOS))
    return _weighted(reversed(digits), _AMOUNT_WEIGHTS) % 10


def modulo_97(digits: str) -> int:
    """The check number 1..97: digits times 11, 13, 17, 19, 23 from the right, mod 97, plus 1."""
    return _weighted(reversed(digits), _MOD97_WEIGHTS) % 97 + 1


def bbva_10(reference: str, amount_centavos: int, due: date, base_year: int, constant: int) -> str:
    """Bank-window reference: the payer's 1 to 12 digits and eight that check date and amount."""
    _check_digits("reference", reference, 1, 12)
    if not 0 <= constant <= 9:
        raise ReferenceProblem(f"constant {constant} is not one digit")
    condensed = condensed_date(due, base_year)
    body = f"{reference}{condensed:04d}{condensed_amount(amount_centavos)}{constant}"
    return f"{body}{modulo_97(body):02d}"


def check_bbva_10(text: str) -> bool:
    """Does the last pair of digits match the others?"""
    if not (text.isascii() and text.isdigit() and 9 <= len(text) <= 20):
        return False
    return int(text[-2:]) == modulo_97(text[:-2])


def oxxo_25(prefix: str, reference: str, amount_centavos: int, due: date) -> str:
    """OXXO services barcode: prefix 2, reference 10, date YYMMDD, centavos 6, Base 10 digit."""
    _check_digits("prefix", prefix, 2, 2)
    _check_digits("reference", reference, 10, 10)
    if amount_centavos > OXXO_MAX_CENTAVOS:
        raise ReferenceProblem("OXXO takes up to 9,999.99 pesos: pay at the bank or by SPEI")
    _checked_amount(amount_centavos, OXXO_MAX_CENTAVOS)
    if not 2000 <= due.year <= 2099:
        raise ReferenceProblem(f"date {due.isoformat()} does not fit a two-digit year")
    body = f"{prefix}{reference}{due:%y%m%d}{amount_centavos:06d}"
    return f"{body}{base_10(body)}"


def base_10(digits: str) -> int:
    """Check digit with weights 2, 1 from the left; the digits of each product are added."""
    products = (int(d) * (2 - i % 2) for i, d in enumerate(digits))
    return -sum(p // 10 + p % 10 for p in products) % 10


def check_oxxo_25(text: str) -> bool:
    """Is this a 25-digit code whose last digit matches the others?"""
    if not (text.isascii() and text.isdigit() and len(text) == 25):
        return False
    return base_10(text[:-1]) == int(text[-1])


def clabe_check_digit(digits: str) -> int:
    """Check digit of the first 17 digits of a CLABE: weights 3, 7, 1, each product mod 10."""
    _check_digits("CLABE", digits, 17, 17)
    return -_weighted(digits, _CLABE_WEIGHTS) % 10


def parse_clabe(text: str) -> str:
    """The 18 digits of a CLABE; spaces and dashes are dropped, a wrong check digit is refused."""
    digits = text.replace(" ", "").replace("-", "")
    _check_digits("CLABE", digits, 18, 18)
    expected = clabe_check_digit(digits[:17])
    if int(digits[17]) != expected:
        raise ReferenceProblem(f"CLABE ends in {digits[17]}, its check digit should be {expected}")
    return digits


def collection_reference(prefix: str, node_number: int, seq: int) -> str:
    """The ten-digit *referencia de cobro* of the pase that a node prints as its `seq`-th payment fact.

    Prefix, three digits of node, and as many of the sequence as are left. With a prefix of three
    digits it comes round after 10,000 pases of one node: who reconciles compares amount and due
    date, which every reference also carries.
    """
    _check_digits("prefix", prefix, 1, 4)
    if not 1 <= node_number <= 999 or seq < 1:
        raise ReferenceProblem(f"node {node_number} or number {seq} is out of range")
    width = 10 - len(prefix) - 3
    return f"{prefix}{node_number:03d}{seq % 10**width:0{width}d}"


def _weighted(digits: Iterable[str], weights: tuple[int, ...]) -> int:
    return sum(int(d) * weights[i % len(weights)] for i, d in enumerate(digits))


def _check_digits(what: str, text: str, least: int, most: int) -> None:
    if not text or not (text.isascii() and text.isdigit()):
        raise ReferenceProblem(f"{what} «{text}» must have digits only")
    if not least <= len(text) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ReferenceProblem(f"{what} «{text}» has {len(text)} digits, it must have {wanted}")


def _checked_amount(amount_centavos: int, most: int) -> int:
    if not 0 < amount_centavos <= most:
        raise ReferenceProblem("the amount must be more than 0.00 and fit the reference")
    return amount_centavos
