"""Lists in, one list file out, and the report of what became of every line.

Reads once, sorts in pieces on disk, and writes as it merges: memory does not grow with the lists but for
eight bytes per name. The same lists, allow-list, date and previous file always make the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from io import BufferedRandom
from pathlib import Path

from captive_portal.filter.cdb import CdbDamaged, CdbWriter
from captive_portal.filter.compile import (
    ALLOW,
    Compiler,
    Meaning,
    UnderAllowList,
    blocks,
    sort_line,
    spares,
)
from captive_portal.filter.database import (
    FACTS_KEY,
    SINCE,
    VERSION,
    Database,
    Facts,
    ListFacts,
    Unusable,
    encode_facts,
    encode_value,
    open_database,
)
from captive_portal.filter.lists import Entry, Refusal
from captive_portal.filter.names import NameProblem, parse_name, wire
from captive_portal.filter.policy import Category
from captive_portal.filter.reading import ListFile, ListReader, ListUnreadable
from captive_portal.filter.report import BuildReport, ListReport
from captive_portal.filter.sorting import PIECE_LINES, Sorter

MAX_ALLOWED = 20_000


class BuildTrouble(Exception):
    """The file was not written; the message says what to repair."""


@dataclass(frozen=True, slots=True)
class BuildPlan:
    lists: Sequence[ListFile]
    out: Path
    day: date
    allow: Sequence[str] = ()
    """The city's names, besides those that every city needs (`always_allowed`)."""
    previous: Path | None = None
    notice: str = ""
    piece_lines: int = PIECE_LINES


def always_allowed() -> tuple[str, ...]:
    """Names that no list can block in any city: government, emergencies, sign-in probes of phones."""
    text = resources.files("captive_portal.filter").joinpath("never_blocked.txt").read_text("utf-8")
    return parse_allow(text)


def parse_allow(text: str) -> tuple[str, ...]:
    """One name per line, `#` comments. Raises BuildTrouble: a city's exception must not be lost."""
    names = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        word = line.partition("#")[0].strip()
        if not word:
            continue
        name = parse_name(word.removeprefix("*."), broad=True)
        if isinstance(name, NameProblem):
            raise BuildTrouble(f"allow-list, line {number}: «{word[:60]}» is {name.value}")
        names.append(name)
    if len(names) > MAX_ALLOWED:
        raise BuildTrouble(f"an allow-list has at most {MAX_ALLOWED} names")
    return tuple(dict.fromkeys(names))


def build(plan: BuildPlan) -> BuildReport:
    """Write `plan.out` whole, by rename. Raises BuildTrouble, ListUnreadable or OSError."""
    report = BuildReport(date=plan.day.isoformat())
    previous = _previous(plan)
    plan.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".filter-", dir=plan.out.parent) as scratch:
        sorter = Sorter(Path(scratch), plan.piece_lines)
        for name in (allowed := dict.fromkeys([*always_allowed(), *plan.allow])):
            sorter.add(sort_line(name, ALLOW))
        report.allowed_names = len(allowed)
        for index, file in enumerate(plan.lists):
            report.lists.append(_read(file, index, sorter))
        report.read = sum(r.names for r in report.lists)
        fresh = Path(scratch) / "list"
        with fresh.open("w+b") as stream:
            _Output(plan, report, previous, CdbWriter(stream)).write(sorter)
            report.sha256 = _seal(stream)
        report.bytes = fresh.stat().st_size
        fresh.chmod(0o644)
        fresh.replace(plan.out)
    if previous is not None:
        previous.close()
    return report


def _previous(plan: BuildPlan) -> Database | None:
    if plan.previous is None:
        return None
    found = open_database(plan.previous)
    if isinstance(found, Unusable):
        raise BuildTrouble(found.detail)
    if found.facts.date > plan.day.isoformat():
        raise BuildTrouble(f"{plan.previous} is of {found.facts.date}, after {plan.day}")
    return found


def _read(file: ListFile, index: int, sorter: Sorter) -> ListReport:
    report = ListReport(file.name, file.category.value)
    reader = ListReader(file)
    listed, spared = blocks(index), spares(index)
    for result in reader.results():
        if not isinstance(result, Entry):
            report.refused.add(result)
        elif result.listed:
            sorter.add(sort_line(result.name, listed))
            report.names += 1
        else:
            sorter.add(sort_line(result.name, spared))
            report.exceptions += 1
    report.lines, report.sha256 = reader.lines, reader.sha256
    if report.lines and not report.names and not report.exceptions and report.refused.counts:
        raise ListUnreadable(f"{file.path}: not one line of it is a name; is it a list?")
    return report


@dataclass(slots=True)
class _Output:
    plan: BuildPlan
    report: BuildReport
    previous: Database | None
    writer: CdbWriter
    base: str = field(init=False)
    counts: Counter[frozenset[Category]] = field(default_factory=Counter)
    values: dict[frozenset[Category], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.base = self.previous.facts.base if self.previous else self.report.date

    def write(self, sorter: Sorter) -> None:
        compiler = Compiler([file.category for file in self.plan.lists])
        report = self.report
        for entry in compiler.run(sorter.merged()):
            match entry:
                case Meaning():
                    self._name(entry)
                case UnderAllowList(name, count):
                    for _ in range(count):
                        report.under_allow_list.add_text(Refusal.ALLOWED, name)
        self._count()
        written = report.names - report.exceptions
        refused = sum(report.under_allow_list.counts.values())
        report.merged = max(0, report.read - written - refused)
        self.writer.add(FACTS_KEY, encode_facts(self._facts()))
        self.writer.finish()

    def _count(self) -> None:
        for categories, count in self.counts.items():
            self.report.names += count
            self.report.values[self.values[categories].decode("ascii")] += count
            for category in categories:
                self.report.categories[category.value] += count
        self.report.exceptions = self.counts[frozenset()]

    def _name(self, meaning: Meaning) -> None:
        key, categories = wire(meaning.name), meaning.categories
        value = self.values.get(categories)
        if value is None:
            value = self.values[categories] = encode_value(categories)
        self.writer.add(key, value)
        self.counts[categories] += 1
        if not categories or self.previous is None:
            return
        since = self._since(meaning.name)
        if since != self.base:
            self.writer.add(SINCE + key, since.encode("ascii"))

    def _since(self, name: str) -> str:
        if self.previous is None:
            return self.base
        try:
            before = self.previous.entry(name)
            if before is None or not before[1]:
                return self.report.date
            return self.previous.since(before[0]).isoformat()
        except CdbDamaged as e:
            raise BuildTrouble(f"{self.plan.previous}: {e}") from None

    def _facts(self) -> Facts:
        report = self.report
        return Facts(
            kind="plaza-filter",
            v=VERSION,
            date=report.date,
            base=self.base,
            names=report.names,
            categories=dict(sorted(report.categories.items())),
            values=sorted(report.values),
            lists=[ListFacts(r.name, r.category, r.sha256, r.names) for r in report.lists],
            notice=self.plan.notice,
        )


def _seal(stream: BufferedRandom) -> str:
    """Bring the file to the disk and name its content."""
    stream.flush()
    os.fsync(stream.fileno())
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()
