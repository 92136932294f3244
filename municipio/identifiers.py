"""Identifiers that people type: clave catastral, folio, CURP and RFC.

Nothing here asks whether the thing exists; the city answers that. A clave has no public check-digit
rule, so only its digits and length are judged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.mx import curp as stdnum_curp
from stdnum.mx import rfc as stdnum_rfc

from municipio.facts import Lane

# --- clave catastral ---------------------------------------------------------------------------

_SEPARATORS = re.compile(r"[\s.\-‐-―]+")
_CORE = slice(2, -1)
"""The groups of the full clave that the 16-digit form keeps: locality to department."""


class ClaveTrouble(StrEnum):
    EMPTY = "empty"
    NOT_DIGITS = "not_digits"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LENGTH = "length"
    """Between two accepted lengths."""


@dataclass(frozen=True, slots=True)
class Clave:
    """A clave by its digits, with leading zeros, and as printed in the city's groups."""

    digits: str
    formatted: str


@dataclass(frozen=True, slots=True)
class ClaveProblem:
    """Why a text is no clave; `accepted` are the lengths that would do."""

    trouble: ClaveTrouble
    length: int
    accepted: tuple[int, ...]

    def __str__(self) -> str:
        lengths = ", ".join(map(str, self.accepted))
        if self.trouble is ClaveTrouble.EMPTY:
            return "the clave is empty"
        if self.trouble is ClaveTrouble.NOT_DIGITS:
            return "a clave has digits, spaces and dashes only"
        return f"a clave has {lengths} digits, not {self.length}"


def parse_mask(mask: str) -> tuple[int, ...]:
    """Group widths of a mask such as `2-3-3-2-3-3-2-3-1`. Raises ValueError."""
    if not re.fullmatch(r"[1-9]\d?(-[1-9]\d?)*", mask, re.ASCII):
        raise ValueError(f"«{mask}» is not a mask such as 2-3-3-2-3-3-2-3-1")
    return tuple(int(width) for width in mask.split("-"))


def accepted_lengths(mask: str) -> tuple[int, ...]:
    """How many digits a clave of this city may have.

    The 22-digit form of nine groups (zone, municipality, locality, region, block, lot, level,
    department, check digit) is also accepted without zone, municipality and check digit (16), and
    so with one more digit for the kind of property (17).
    """
    widths = parse_mask(mask)
    if sum(widths) == 22 and sum(widths[_CORE]) == 16:
        return (16, 17, 22)
    return (sum(widths),)


def parse_clave(text: str, mask: str) -> Clave | ClaveProblem:
    """Read a typed clave. Leading zeros are kept. A wrong mask raises ValueError."""
    digits = _SEPARATORS.sub("", text)
    accepted = accepted_lengths(mask)
    if not digits:
        return ClaveProblem(ClaveTrouble.EMPTY, 0, accepted)
    if not (digits.isascii() and digits.isdigit()):
        return ClaveProblem(ClaveTrouble.NOT_DIGITS, len(digits), accepted)
    if len(digits) not in accepted:
        return ClaveProblem(_length_trouble(len(digits), accepted), len(digits), accepted)
    return Clave(digits, format_clave(digits, mask))


def _length_trouble(length: int, accepted: tuple[int, ...]) -> ClaveTrouble:
    if length < accepted[0]:
        return ClaveTrouble.TOO_SHORT
    return ClaveTrouble.TOO_LONG if length > accepted[-1] else ClaveTrouble.LENGTH


def format_clave(digits: str, mask: str) -> str:
    """Digits in the groups of the mask; digits of any other length come back as they are."""
    widths = parse_mask(mask)
    if len(digits) != sum(widths):
        widths = widths[_CORE] if len(digits) == 16 else (*widths[_CORE], 1)
    if len(digits) != sum(widths):
        return digits
    groups, at = [], 0
    for width in widths:
        groups.append(digits[at : at + width])
        at += width
    return "-".join(groups)


# --- folio -------------------------------------------------------------------------------------

_NODE_CODE = re.compile(r"[A-Z]{3}\d{3}", re.ASCII)
_LANE_BY_LETTER = {lane.letter: lane for lane in Lane}
_FOLIO = re.compile(r"([A-Z]{3}\d{3})-([PRAV])([1-9]\d*)-(\d{6,})-([0-9A-Z])", re.ASCII)
_BARE = re.compile(
    r"([A-Z0-9]{3})([0-9OIL]{3})([PRAV])([0-9OIL]+)([0-9OIL]{6})([0-9A-Z])", re.ASCII
)
_TO_DIGITS = str.maketrans("OIL", "011")
_TO_LETTERS = str.maketrans("01", "OI")


@dataclass(frozen=True, slots=True)
class Folio:
    """One matter: the node that opened it and the number of the fact that did.

    `text` is the printed form, e.g. `COA007-R1-000123-E`.
    """

    node_code: str
    lane: Lane
    epoch: int
    seq: int
    text: str


class FolioTrouble(StrEnum):
    SHAPE = "shape"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class FolioProblem:
    trouble: FolioTrouble

    def __str__(self) -> str:
        if self.trouble is FolioTrouble.SHAPE:
            return "a folio looks like COA007-R1-000123-E"
        return "the last character of the folio does not match the others"


def make_folio(node_code: str, lane: Lane, epoch: int, seq: int) -> str:
    """`COA007-R1-000123-E`: node, lane letter and epoch, seq, ISO 7064 mod 37,36 check character.

    Needs neither a clock nor a network, because (node, epoch, lane, seq) is never used twice.
    Raises ValueError for a node code that is not three letters and three digits.
    """
    if seq < 1:
        raise ValueError("epoch and seq start at 1")
    thousands, rest = divmod(seq, 1000)
    head, sum_so_far = _folio_head(node_code, lane, epoch, thousands)
    tail = f"{rest:03d}"
    check = _ALPHABET[(1 - _doubled(_add(sum_so_far, tail))) % 36]
    return f"{head}{tail}-{check}"


@lru_cache(maxsize=64)
def _folio_head(node_code: str, lane: Lane, epoch: int, thousands: int) -> tuple[str, int]:
    """`COA007-R1-000` and the check sum up to there, the same for a thousand folios of a chain."""
    if not _NODE_CODE.fullmatch(node_code):
        raise ValueError(f"node code «{node_code}» is not three letters and three digits")
    if epoch < 1:
        raise ValueError("epoch and seq start at 1")
    chain, first = f"{lane.letter}{epoch}", f"{thousands:03d}"
    return f"{node_code}-{chain}-{first}", _add(18, f"{node_code}{chain}{first}")


_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _add(check: int, text: str) -> int:
    """Go on with the ISO 7064 mod 37,36 sum of characters in `_ALPHABET`."""
    for character in text:
        check = _AFTER[check][character]
    return check


def _doubled(check: int) -> int:
    return ((check or 36) * 2) % 37


_AFTER = tuple(
    {character: (_doubled(check) + value) % 36 for value, character in enumerate(_ALPHABET)}
    for check in range(36)
)
"""The sum after one more character, by the sum before it: a folio is made with each fact."""


def parse_folio(text: str) -> Folio | FolioProblem:
    """Read a typed folio: any case, with or without dashes, O for 0 and I or L for 1 forgiven."""
    cleaned = re.sub(r"\s+", "", text.upper())
    match = _FOLIO.fullmatch(cleaned) or _bare_match(cleaned)
    if match is None:
        return FolioProblem(FolioTrouble.SHAPE)
    node_code, letter, epoch, seq, check = match.groups()
    # Lengths first: int() of thousands of digits raises, and this text comes from a stranger.
    if len(epoch) > 9 or len(seq) > 15 or int(epoch) < 1 or int(seq) < 1:
        return FolioProblem(FolioTrouble.SHAPE)
    lane = _LANE_BY_LETTER[letter]
    folio = make_folio(node_code, lane, int(epoch), int(seq))
    if folio[-1] != check or folio.replace("-", "") != "".join(match.groups()):
        return FolioProblem(FolioTrouble.CHECK)
    return Folio(node_code, lane, int(epoch), int(seq), folio)


def _bare_match(text: str) -> re.Match[str] | None:
    """Without dashes the last six digits are the seq; look-alikes are mended by their place."""
    match = _BARE.fullmatch(_SEPARATORS.sub("", text))
    if match is None:
        return None
    city, number, lane, epoch, seq, check = match.groups()
    mended = (city.translate(_TO_LETTERS), *(p.translate(_TO_DIGITS) for p in (number, epoch, seq)))
    return _FOLIO.fullmatch(f"{mended[0]}{mended[1]}-{lane}{mended[2]}-{mended[3]}-{check}")


# --- people ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonId:
    """A well-formed CURP or RFC. `doubtful` is a warning to show, never a reason to refuse."""

    number: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class PersonIdProblem:
    detail: str


def check_curp(text: str) -> PersonId | PersonIdProblem:
    """A CURP of 18 characters with its check digit."""
    try:
        return PersonId(stdnum_curp.validate(text.upper()))
    except ValidationError as e:
        return PersonIdProblem(str(e))


def check_rfc(text: str) -> PersonId | PersonIdProblem:
    """An RFC of 12 or 13 characters (10 without homoclave).

    Some RFCs in real use carry a check digit that the public algorithm does not give, so a wrong
    one is only `doubtful`.
    """
    try:
        number = stdnum_rfc.validate(text.upper())
        stdnum_rfc.validate(number, validate_check_digits=True)
    except InvalidChecksum:
        return PersonId(number, doubtful=True)
    except ValidationError as e:
        return PersonIdProblem(str(e))
    return PersonId(number)
