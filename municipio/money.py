"""Money as integer centavos: reading, writing, and the *importe con letra* of Mexican receipts."""

from __future__ import annotations

import re

MAX_CENTAVOS = 99_999_999_999
"""999,999,999.99 pesos: the largest amount that this module reads or puts into words."""

_AMOUNT = re.compile(r"\$?\s*(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,2}))?", re.ASCII)

_BELOW_30 = (
    "CERO", "UNO", "DOS", "TRES", "CUATRO", "CINCO", "SEIS", "SIETE", "OCHO", "NUEVE",
    "DIEZ", "ONCE", "DOCE", "TRECE", "CATORCE", "QUINCE", "DIECISÉIS", "DIECISIETE", "DIECIOCHO",
    "DIECINUEVE", "VEINTE", "VEINTIUNO", "VEINTIDÓS", "VEINTITRÉS", "VEINTICUATRO", "VEINTICINCO",
    "VEINTISÉIS", "VEINTISIETE", "VEINTIOCHO", "VEINTINUEVE",
)  # fmt: skip
_TENS = ("TREINTA", "CUARENTA", "CINCUENTA", "SESENTA", "SETENTA", "OCHENTA", "NOVENTA")
_HUNDREDS = (
    "CIENTO", "DOSCIENTOS", "TRESCIENTOS", "CUATROCIENTOS", "QUINIENTOS", "SEISCIENTOS",
    "SETECIENTOS", "OCHOCIENTOS", "NOVECIENTOS",
)  # fmt: skip


def importe_con_letra(amount_centavos: int) -> str:
    """An amount in words as Mexican receipts print it, e.g. `MIL DOSCIENTOS PESOS 50/100 M.N.`

    Raises ValueError outside 0.00 to 999,999,999.99 pesos.
    """
    _check_range(amount_centavos)
    pesos, centavos = divmod(amount_centavos, 100)
    millions, rest = divmod(pesos, 1_000_000)
    words = _millions(millions) + _thousands(rest)
    if not words:
        words = [_BELOW_30[0]]
    if millions and not rest:
        words.append("DE")
    words.append("PESO" if pesos == 1 else "PESOS")
    return f"{' '.join(words)} {centavos:02d}/100 M.N."


def _millions(count: int) -> list[str]:
    if count == 0:
        return []
    return [*_below_1000(count), "MILLÓN" if count == 1 else "MILLONES"]


def _thousands(number: int) -> list[str]:
    thousands, units = divmod(number, 1000)
    words = []
    if thousands:
        words = ["MIL"] if thousands == 1 else [*_below_1000(thousands), "MIL"]
    return words + _below_1000(units)


def _below_1000(number: int) -> list[str]:
    """Words before a masculine noun (UN, VEINTIÚN, never UNO); empty for zero."""
    if number == 100:
        return ["CIEN"]
    hundreds, rest = divmod(number, 100)
    words = [_HUNDREDS[hundreds - 1]] if hundreds else []
    return words + _below_100(rest)


def _below_100(number: int) -> list[str]:
    if number == 0:
        return []
    if number == 1:
        return ["UN"]
    if number == 21:
        return ["VEINTIÚN"]
    if number < 30:
        return [_BELOW_30[number]]
    tens, units = divmod(number, 10)
    words = [_TENS[tens - 3]]
    return words if units == 0 else [*words, "Y", "UN" if units == 1 else _BELOW_30[units]]


def format_amount(amount_centavos: int) -> str:
    """`1,095.60`; a negative amount (a discount) keeps its sign: `-273.90`."""
    sign = "-" if amount_centavos < 0 else ""
    pesos, centavos = divmod(abs(amount_centavos), 100)
    return f"{sign}{pesos:,}.{centavos:02d}"


def format_mxn(amount_centavos: int) -> str:
    """`$ 1,095.60`, with the sign before the currency mark: `-$ 273.90`."""
    sign = "-" if amount_centavos < 0 else ""
    return f"{sign}$ {format_amount(abs(amount_centavos))}"


def parse_amount(text: str) -> int:
    """Centavos of an amount in pesos: `1200.5`, `1,200.50`, `$ 1,200.50`. Raises ValueError.

    More than two decimals, a sign, an exponent or a decimal comma are refused, never rounded.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"«{text}» is not an amount in pesos such as 1200.50")
    pesos, decimals = match.group(1).replace(",", ""), match.group(2) or ""
    if len(pesos) > 20:
        raise ValueError("the amount must be between 0.00 and 999,999,999.99")
    centavos = int(pesos) * 100 + int(decimals.ljust(2, "0"))
    _check_range(centavos)
    return centavos


def _check_range(amount_centavos: int) -> None:
    if not 0 <= amount_centavos <= MAX_CENTAVOS:
        raise ValueError("the amount must be between 0.00 and 999,999,999.99")
