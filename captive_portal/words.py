"""Four Spanish words that a person can read aloud, remember and type: 1,000^4 codes, 39.9 bits.

The list is curated: nouns and plain words of three to eight letters, written without accents or ñ.
After folding (`fold`: accents, b and v, c and s and z, h, ll and y, qu and k as they sound) any two
words still differ in at least two letters, so that a spelling mistake is forgiven and a slip of the
finger is noticed instead of becoming another code.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from importlib import resources

CODE_WORDS = 4
MAX_TYPED = 80
_PLACES = (
    ("ll", "y"), ("qu", "k"), ("v", "b"), ("ch", "#"), ("h", ""), ("z", "s"),
)  # fmt: skip
"""Replaced in this order, before the rules that look at the next letter."""


@lru_cache(maxsize=1)
def word_list() -> tuple[str, ...]:
    """The 1,000 words, in alphabetical order."""
    text = resources.files("captive_portal").joinpath("wordlist.txt").read_text("ascii")
    return tuple(text.split())


def fold(word: str) -> str:
    """How a word sounds in Mexico, roughly: equal for spellings that people take for each other."""
    plain = unicodedata.normalize("NFD", word.lower())
    plain = "".join(c for c in plain if c.isascii() and c.isalpha())
    for written, sound in _PLACES:
        plain = plain.replace(written, sound)
    plain = re.sub("g(?=[ei])", "j", plain)
    plain = re.sub("c(?=[ei])", "s", plain).replace("c", "k").replace("#", "ch")
    return re.sub(r"(.)\1", r"\1", plain)


@lru_cache(maxsize=1)
def _by_sound() -> dict[str, str]:
    return {fold(word): word for word in word_list()}


def make_code(below: Callable[[int], int] = secrets.randbelow) -> tuple[str, ...]:
    """Four words, each drawn anew from the whole list."""
    words = word_list()
    return tuple(words[below(len(words))] for _ in range(CODE_WORDS))


def read_code(typed: str) -> tuple[str, ...] | None:
    """The words of a code as somebody typed it, whatever stands between them; None when it is none."""
    if len(typed) > MAX_TYPED:
        return None
    parts = [part for part in re.split(r"[^\w]+|_+", typed) if part]
    known = _by_sound()
    words = tuple(known.get(fold(part), "") for part in parts)
    return words if len(words) == CODE_WORDS and all(words) else None


def spell_code(words: tuple[str, ...]) -> str:
    """`luna-mesa-tren-pato`: one spelling for addresses, hashes and people."""
    return "-".join(words)
