"""Sorts more lines than memory should hold: sorted pieces in a temporary folder, then one merge."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

PIECE_LINES = 250_000
MERGE_AT_ONCE = 128


class Sorter:
    """`add` lines (without their end), then read `merged` once: sorted bytes without duplicates."""

    def __init__(self, folder: Path, piece_lines: int = PIECE_LINES) -> None:
        self._folder = folder
        self._limit = piece_lines
        self._held: set[bytes] = set()
        self._pieces: list[Path] = []
        self._made = 0

    def add(self, line: bytes) -> None:
        self._held.add(line)
        if len(self._held) >= self._limit:
            self._spill(sorted(self._held))
            self._held.clear()

    def merged(self) -> Iterator[bytes]:
        """Every distinct line, in byte order."""
        while len(self._pieces) > MERGE_AT_ONCE:
            some, self._pieces = self._pieces[:MERGE_AT_ONCE], self._pieces[MERGE_AT_ONCE:]
            self._spill(self._merge(some, []))
            for piece in some:
                piece.unlink()
        yield from self._merge(self._pieces, sorted(self._held))

    def _spill(self, lines: Iterator[bytes] | list[bytes]) -> None:
        piece = self._folder / f"{self._made:06}"
        self._made += 1
        with piece.open("wb") as stream:
            stream.writelines(line + b"\n" for line in lines)
        self._pieces.append(piece)

    def _merge(self, pieces: list[Path], held: list[bytes]) -> Iterator[bytes]:
        with ExitStack() as stack:
            streams = [_lines(stack, piece) for piece in pieces]
            last = None
            for line in heapq.merge(held, *streams):
                if line != last:
                    yield line
                last = line


def _lines(stack: ExitStack, piece: Path) -> Iterator[bytes]:
    stream = stack.enter_context(piece.open("rb"))
    return (line[:-1] for line in stream)
