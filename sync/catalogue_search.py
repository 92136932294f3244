"""Candidates for a search: FTS5 for words and prefixes, rapidfuzz for words that nobody spells so.

The order of the answers is `municipio.search`. Fuzzy comparison runs only for a word that begins no word
of the catalogue, so that well-spelt queries never pay for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from municipio.search import Entry, Scored, Term, Vocabulary, rank, sound, terms
from sync.catalogue_build import PHRASE_MARK

CANDIDATES = 60
"""Rows that the index may hand to the ranking."""
ENOUGH = 8
"""With fewer rows that hold every word, rows that hold some are looked at too."""
MIN_FUZZY = 3
"""Shorter words are not corrected: everything is near to them."""
CUTOFF = 0.68
READINGS = 4

_MATCH = """
SELECT rowid FROM tramites_search WHERE tramites_search MATCH ?
ORDER BY bm25(tramites_search, 10.0, 8.0, 1.0) LIMIT ?
"""
_MATCH_ANY_ORDER = "SELECT rowid FROM tramites_search WHERE tramites_search MATCH ? LIMIT ?"


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """Search over one opened catalogue."""

    connection: sqlite3.Connection
    entries: Mapping[int, Entry]
    vocabulary: Vocabulary

    def search(self, query: str, limit: int) -> tuple[Scored, ...]:
        words = [self._term(text) for text in terms(query)]
        if not words or limit < 1:
            return ()
        rows = self._candidates([w for w in words if w.readings], max(limit, CANDIDATES))
        return rank(words, (self.entries[row] for row in rows), limit)

    def _term(self, text: str) -> Term:
        if self.vocabulary.knows(text):
            return Term(text, {text: 1.0}, self.vocabulary.rarity(text))
        readings = self._readings(text)
        rarities = [self.vocabulary.rarity(word) for word in readings]
        return Term(text, readings, max(rarities, default=1.0))

    def _readings(self, text: str) -> dict[str, float]:
        """Words that sound like a misspelt one, with their likeness."""
        if len(text) < MIN_FUZZY:
            return {}
        sounds = self.vocabulary.sounds
        near = process.extract(
            sound(text),
            sounds.keys(),
            scorer=OSA.normalized_similarity,
            score_cutoff=CUTOFF,
            limit=READINGS,
        )
        return {word: 0.9 * likeness for key, likeness, _ in near for word in sounds[key]}

    def _candidates(self, words: Sequence[Term], limit: int) -> list[int]:
        if not words:
            return []
        groups = [_group(word) for word in words]
        rows = self._match(" AND ".join(groups), limit, words)
        if len(groups) > 1 and len(rows) < ENOUGH:
            rows += self._match(" OR ".join(groups), limit, words)
        return list(dict.fromkeys(rows))

    def _match(self, expression: str, limit: int, words: Sequence[Term]) -> list[int]:
        # bm25 weighs every match; a single letter matches nearly all, and only names can be meant.
        if all(len(word.text) == 1 for word in words):
            return self._rows(_MATCH_ANY_ORDER, "name : (" + expression + ")", limit)
        return self._rows(_MATCH, expression, limit)

    def _rows(self, sql: str, expression: str, limit: int) -> list[int]:
        return [row[0] for row in self.connection.execute(sql, (expression, limit))]


def _group(word: Term) -> str:
    # Readings are letters and digits only (municipio.search), so quoting is enough.
    return "(" + " OR ".join(f'"{reading}"*' for reading in word.readings) + ")"


def open_index(connection: sqlite3.Connection) -> SearchIndex:
    """Read every entry's stems into memory: some 300 bytes per trámite."""
    rows = connection.execute(
        "SELECT t.rowid, t.id, t.consulted, s.name, s.synonyms, s.other"
        " FROM tramites t JOIN tramites_search s ON s.rowid = t.rowid"
    )
    entries: dict[int, Entry] = {}
    holding: dict[str, int] = {}
    for rowid, id_, consulted, name, synonyms, other in rows:
        phrases = tuple(tuple(p.split()) for p in synonyms.split(PHRASE_MARK) if p.strip())
        entry = Entry(id_, tuple(name.split()), phrases, frozenset(other.split()), consulted)
        entries[rowid] = entry
        for word in {*entry.name, *entry.other, *(w for p in phrases for w in p)}:
            holding[word] = holding.get(word, 0) + 1
    return SearchIndex(connection, entries, Vocabulary(holding, len(entries)))
