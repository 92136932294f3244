"""Search by plain words: what a query means, and which trámite is the better answer. Pure.

Words are compared without accents, case or plurals. A misspelt word is compared by its sound, because
Spanish misspellings are mostly phonetic (b/v, s/c/z, ll/y, silent h). Candidates come from an index
(`sync.catalogue`); the order is decided here.
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

STOP_WORDS = frozenset(
    {
        "a",
        "al",
        "algo",
        "como",
        "con",
        "cual",
        "cuando",
        "cuanto",
        "de",
        "del",
        "desde",
        "donde",
        "e",
        "el",
        "ella",
        "en",
        "es",
        "esta",
        "este",
        "hacer",
        "hago",
        "hay",
        "la",
        "las",
        "le",
        "lo",
        "los",
        "me",
        "mi",
        "mis",
        "necesito",
        "no",
        "o",
        "para",
        "pero",
        "por",
        "puedo",
        "q",
        "que",
        "quiero",
        "se",
        "ser",
        "si",
        "sin",
        "sobre",
        "solicitar",
        "solicitud",
        "su",
        "sus",
        "tengo",
        "tramitar",
        "tramite",
        "un",
        "una",
        "uno",
        "y",
        "ya",
        "yo",
    }
)
"""Words that say nothing about which trámite is meant; kept when a query has no others."""

MAX_TERMS = 8
MAX_QUERY = 120
_WORD = re.compile(r"[a-z0-9]+")
_SOUNDS = (
    (re.compile(r"qu(?=[ei])|k"), "c"),
    (re.compile(r"c(?=[ei])|z|x"), "s"),
    (re.compile(r"g(?=[ei])"), "j"),
    (re.compile(r"gu(?=[ei])"), "g"),
    (re.compile(r"ll"), "y"),
    (re.compile(r"(?<=[^aeiou])y(?=[aeiou])"), "i"),
    (re.compile(r"v|w"), "b"),
    (re.compile(r"(?<!c)h"), ""),
    (re.compile(r"(.)\1"), r"\1"),
)


def fold(text: str) -> str:
    """Lower case without accents; ñ becomes n, as the full-text index folds it."""
    marks = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in marks if not unicodedata.combining(c))


def stem(word: str) -> str:
    """A folded word without its plural ending: árboles -> arbol, luces -> luz, baches -> bache."""
    if len(word) <= 3 or not word.endswith("s"):
        return word
    if word.endswith("ces"):
        return word[:-3] + "z"
    if word.endswith("es") and word[-3] in "lrndjy":
        return word[:-2]
    return word[:-1]


def sound(word: str) -> str:
    """How a folded word sounds in Mexican Spanish, for comparing misspellings."""
    for pattern, plain in _SOUNDS:
        word = pattern.sub(plain, word)
    return word


def terms(text: str) -> tuple[str, ...]:
    """Stems of the words that carry meaning, in order, without repeats."""
    words = _WORD.findall(fold(text[:MAX_QUERY]))
    kept = [w for w in words if w not in STOP_WORDS] or words
    return tuple(dict.fromkeys(stem(w) for w in kept))[:MAX_TERMS]


def index_terms(text: str) -> tuple[str, ...]:
    """Like `terms` for text of ours: no limit, and stop words leave even when nothing else stays."""
    words = _WORD.findall(fold(text))
    return tuple(dict.fromkeys(stem(w) for w in words if w not in STOP_WORDS))


@dataclass(frozen=True, slots=True)
class Entry:
    """One trámite as search sees it: stems of its name, of each synonym, and of all the rest."""

    id: str
    name: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...]
    other: frozenset[str]
    consulted: int = 0


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a query. `readings` maps stems it may stand for to how likely (0..1).

    An exact word reads as itself alone; a misspelt one reads as its neighbours.
    """

    text: str
    readings: Mapping[str, float]
    rarity: float = 1.0
    """Weight of the word: rare words decide more than frequent ones."""


@dataclass(frozen=True, slots=True)
class Scored:
    id: str
    score: float


def rarity(documents: int, holding: int) -> float:
    """Inverse document frequency, softened so that a frequent word still counts: about 1 to 7."""
    return 1.0 + math.log((1 + documents) / (1 + holding))


def rank(query: Sequence[Term], entries: Iterable[Entry], limit: int) -> tuple[Scored, ...]:
    """The best entries for a query, best first; entries that match no word are left out."""
    scored = ((_score(query, entry), entry) for entry in entries)
    best = sorted(((s, e) for s, e in scored if s > 0), key=lambda p: (-p[0], p[1].name, p[1].id))
    return tuple(Scored(entry.id, round(score, 4)) for score, entry in best[:limit])


def _score(query: Sequence[Term], entry: Entry) -> float:
    phrase_words = frozenset(w for phrase in entry.phrases for w in phrase)
    found = 0.0
    weight = 0.0
    possible = 0.0
    for term in query:
        best = max(
            10.0 * _match(term, entry.name),
            8.5 * _match(term, phrase_words),
            2.0 * _match(term, entry.other),
        )
        found += best * term.rarity
        possible += term.rarity
        weight += term.rarity if best > 0 else 0.0
    if found == 0:
        return 0.0
    coverage = (weight / possible) ** 2
    # A synonym that is the whole query counts less than a name: «no tengo acta» is not «acta».
    synonym = max((_closeness(query, p) for p in entry.phrases), default=0.0)
    closeness = max(_closeness(query, entry.name), 0.8 * synonym)
    return found / possible * coverage * (1 + closeness) * (1 + 0.1 * math.log1p(entry.consulted))


def _match(term: Term, words: Iterable[str]) -> float:
    """1 for the word itself, less for a word that begins with it, times the likelihood of the reading."""
    best = 0.0
    for word in words:
        for reading, likely in term.readings.items():
            if word == reading:
                best = max(best, likely)
            elif word.startswith(reading):
                best = max(best, likely * (0.55 + 0.35 * len(reading) / len(word)))
    return best


def _closeness(query: Sequence[Term], phrase: Sequence[str]) -> float:
    """How much a name or synonym is the whole query and nothing else: 0..1."""
    if not phrase:
        return 0.0
    hits = sum(_match(term, phrase) for term in query)
    return hits / max(len(phrase), len(query)) if hits else 0.0


class Vocabulary:
    """Every stem of an index, for recognising words, prefixes and sounds."""

    def __init__(self, holding: Mapping[str, int], documents: int) -> None:
        """`holding` maps each stem to how many entries hold it, out of `documents`."""
        self._holding = holding
        self._documents = documents
        self._sorted = sorted(holding)
        self.sounds: dict[str, list[str]] = {}
        for word in self._sorted:
            self.sounds.setdefault(sound(word), []).append(word)

    def knows(self, prefix: str) -> bool:
        """True when some word is or begins with `prefix`."""
        at = bisect_left(self._sorted, prefix)
        return at < len(self._sorted) and self._sorted[at].startswith(prefix)

    def rarity(self, word: str) -> float:
        return rarity(self._documents, self._holding.get(word, 0))
