"""Coverage-guided bytes for everything that the name filter reads from others (atheris, libFuzzer).

    .venv/bin/python tests/fuzz/fuzz_filter.py -max_total_time=60

The first byte chooses the reader. Whatever comes, a reader answers with its own closed set of results;
any other exception is the fault that is looked for.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import tomllib
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["captive_portal.filter", "captive_portal.hours"]):
    from captive_portal.filter.build import BuildTrouble, parse_allow
    from captive_portal.filter.cdb import CdbDamaged, CdbReader
    from captive_portal.filter.database import Database, decode_value, open_database
    from captive_portal.filter.dnsdist import render_dnsdist
    from captive_portal.filter.lists import Entry, Refused, RpzReader, parse_line
    from captive_portal.filter.names import NameProblem, parse_name, wire
    from captive_portal.filter.plan import FilterPlan
    from captive_portal.filter.policy import Category, FilterPolicy, parse_policy
    from captive_portal.filter.reading import ListFile, ListReader, ListUnreadable
    from captive_portal.filter.safesearch import all_targets, read_hosts
    from captive_portal.sections import SectionProblem

FOLDER = tempfile.TemporaryDirectory(prefix="plaza-fuzz-")
SCRATCH = Path(FOLDER.name) / "input"


def _lines(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    reader = RpzReader()
    for line in text.splitlines():
        for result in (*parse_line(line), *reader(line)):
            assert isinstance(result, Entry | Refused)
            if isinstance(result, Entry):
                assert len(wire(result.name)) <= 255


def _file(data: bytes) -> None:
    SCRATCH.write_bytes(data)
    try:
        for result in ListReader(ListFile(SCRATCH, Category.ADULT)).results():
            assert isinstance(result, Entry | Refused)
    except ListUnreadable:
        pass


def _name(data: bytes) -> None:
    name = parse_name(data.decode("utf-8", "replace"), broad=True)
    if not isinstance(name, NameProblem):
        assert parse_name(name, broad=True) == name
        render_dnsdist(FilterPlan(("127.0.0.1",), garden=(name,)))


def _policy(data: bytes) -> None:
    try:
        document = tomllib.loads(data.decode("utf-8", "replace"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    policy = parse_policy(document)
    assert isinstance(policy, FilterPolicy | SectionProblem)
    if isinstance(policy, FilterPolicy):
        render_dnsdist(FilterPlan(("127.0.0.1",), policy))


def _database(data: bytes) -> None:
    SCRATCH.write_bytes(data)
    try:
        reader = CdbReader(SCRATCH)
        reader.get(data[:20])
        for _, (_, value) in zip(range(100), reader.records(), strict=False):
            decode_value(value)
        reader.close()
    except CdbDamaged:
        pass
    found = open_database(SCRATCH)
    if isinstance(found, Database):
        found.close()


def _small(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    assert set(read_hosts(text)) <= set(all_targets())
    with contextlib.suppress(BuildTrouble):
        parse_allow(text)


READERS = (_lines, _file, _name, _policy, _database, _small)


def one_input(data: bytes) -> None:
    if data:
        READERS[data[0] % len(READERS)](data[1:])


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
