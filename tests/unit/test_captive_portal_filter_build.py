"""From lists to one file: which names it holds, what they mean, and that it is always the same file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.filter.build import BuildPlan, BuildTrouble, always_allowed, build, parse_allow
from captive_portal.filter.database import Database, Facts, Unusable, check_database, open_database
from captive_portal.filter.names import is_within
from captive_portal.filter.policy import Category
from captive_portal.filter.reading import ListFile, ListUnreadable
from captive_portal.filter.report import BuildReport

DAY = date(2026, 1, 10)
Build = Callable[..., tuple[BuildReport, Database]]


@pytest.fixture
def make(tmp_path: Path) -> Build:
    """Build from texts by category (`adult`, `adult2`, ...) and open the result."""

    def run(texts: dict[str, str], **more: object) -> tuple[BuildReport, Database]:
        files = []
        for key, text in texts.items():
            path = tmp_path / f"{key}.txt"
            path.write_text(text)
            files.append(ListFile(path, Category(key.rstrip("0123456789"))))
        out = tmp_path / str(more.pop("out", "list.cdb"))
        plan = BuildPlan(files, out, **{"day": DAY, **more})  # type: ignore[arg-type]
        report = build(plan)
        database = open_database(out)
        assert isinstance(database, Database)
        assert isinstance(check_database(out), Facts)
        return report, database

    return run


def about(database: Database, name: str) -> set[str]:
    found = database.entry(name)
    return {c.value for c in found[1]} if found else set()


def test_a_listed_name_covers_everything_below_it(make: Build) -> None:
    _, db = make({"adult": "malo.example\n"})
    assert about(db, "malo.example") == {"adult"}
    assert about(db, "www.de.malo.example") == {"adult"}
    assert about(db, "tamalo.example") == set()
    assert about(db, "example") == set()


def test_a_child_is_dropped_only_when_it_says_no_more_than_its_parent(make: Build) -> None:
    report, db = make(
        {
            "adult": "malo.example\nwww.malo.example\nfotos.malo.example\n",
            "malware": "fotos.malo.example\n",
        }
    )
    assert report.names - report.exceptions == 2
    assert report.merged == 2
    assert about(db, "www.malo.example") == {"adult"}
    assert about(db, "a.fotos.malo.example") == {"adult", "malware"}


def test_the_city_is_never_blocked_below_or_beside_a_listed_parent(make: Build) -> None:
    report, db = make(
        {"adult": "banco.example\nwww.tramites.gob.mx\nde.paginas.banco.example\n"},
        allow=("paginas.banco.example",),
    )
    assert about(db, "www.tramites.gob.mx") == set()
    assert about(db, "de.paginas.banco.example") == set()
    assert about(db, "banco.example") == {"adult"}
    assert report.under_allow_list.counts.total() == 2
    entry = db.entry("algo.paginas.banco.example")
    assert entry == ("paginas.banco.example", frozenset())


def test_every_name_of_the_citys_list_is_in_the_file_to_win_over_a_sites_own_block(
    make: Build,
) -> None:
    _, db = make({"adult": ""})
    for name in always_allowed():
        assert db.entry(name) == (name, frozenset())


def test_an_exception_counts_for_its_own_list(make: Build) -> None:
    _, db = make(
        {
            "adult": "malo.example\n@@||bueno.malo.example^\nx.bueno.malo.example\n",
            "malware": "x.bueno.malo.example\n",
        }
    )
    assert about(db, "bueno.malo.example") == set()
    assert about(db, "x.bueno.malo.example") == {"malware"}
    assert about(db, "otro.malo.example") == {"adult"}


def test_the_same_lists_make_the_same_bytes_however_little_memory_there_is(
    make: Build, tmp_path: Path
) -> None:
    texts = {
        "adult": "".join(f"n{n % 700}.malo{n % 13}.example\n" for n in range(3000)),
        "drugs": "".join(f"malo{n}.example\n" for n in range(40)),
    }
    first, _ = make(texts, out="a.cdb")
    second, _ = make(texts, out="b.cdb", piece_lines=5)
    assert (tmp_path / "a.cdb").read_bytes() == (tmp_path / "b.cdb").read_bytes()
    assert first.sha256 == second.sha256
    assert not list(tmp_path.glob(".filter-*"))


def test_a_name_keeps_the_day_since_which_it_is_listed(make: Build, tmp_path: Path) -> None:
    make({"adult": "viejo.example\n"}, out="1.cdb")
    make(
        {"adult": "viejo.example\nnuevo.example\n"},
        out="2.cdb",
        day=date(2026, 2, 1),
        previous=tmp_path / "1.cdb",
    )
    _, third = make(
        {"adult": "viejo.example\nnuevo.example\nultimo.example\n"},
        out="3.cdb",
        day=date(2026, 3, 1),
        previous=tmp_path / "2.cdb",
    )
    assert third.since("viejo.example") == date(2026, 1, 10)
    assert third.since("nuevo.example") == date(2026, 2, 1)
    assert third.since("ultimo.example") == date(2026, 3, 1)
    with pytest.raises(BuildTrouble, match="after 2026-01-01"):
        make({"adult": ""}, out="4.cdb", day=date(2026, 1, 1), previous=tmp_path / "3.cdb")


def test_the_report_counts_and_shows_what_was_refused(make: Build) -> None:
    report, _ = make({"adult": "uno.example\n||x.example^$third-party\ncom.mx\nx y z\n\x1b[2J\n"})
    text = report.text()
    assert "1 names" in text
    assert "rule for some pages only" in text
    assert "whole top-level domain or registry" in text
    assert "\x1b" not in text
    assert report.document()["refused"] == 4


def test_a_file_that_is_no_list_stops_the_build_and_writes_nothing(
    make: Build, tmp_path: Path
) -> None:
    with pytest.raises(ListUnreadable, match="is it a list"):
        make({"adult": "<html>\n<p>404 Not Found</p>\n"})
    assert not (tmp_path / "list.cdb").exists()


def test_a_city_exception_that_is_no_name_stops_the_build() -> None:
    with pytest.raises(BuildTrouble, match="line 2"):
        parse_allow("banco.example\nnoes un nombre\n")


def test_a_file_of_something_else_is_not_a_list(tmp_path: Path) -> None:
    path = tmp_path / "x.cdb"
    path.write_bytes(b"x" * 5000)
    assert isinstance(open_database(path), Unusable)
    assert isinstance(open_database(tmp_path / "nada"), Unusable)


_labels = st.sampled_from(["a", "b", "c", "d-e", "example", "gob", "mx", "banco"])
_names = st.lists(_labels, min_size=2, max_size=4).map(".".join)
_list = st.lists(st.tuples(_names, st.booleans()), max_size=12)


def _plain_meaning(
    name: str, lists: list[list[tuple[str, bool]]], cats: list[Category], allow: list[str]
) -> set[str]:
    """What the rules say, computed name by name without any cleverness."""
    if any(is_within(name, a) for a in [*allow, *always_allowed()]):
        return set()
    found = set()
    for entries, category in zip(lists, cats, strict=True):
        spared = any(is_within(name, n) for n, listed in entries if not listed)
        if not spared and any(is_within(name, n) for n, listed in entries if listed):
            found.add(category.value)
    return found


@settings(max_examples=120, deadline=None)
@given(st.lists(_list, min_size=1, max_size=3), st.lists(_names, max_size=2), st.lists(_names))
def test_the_file_answers_as_the_lists_say_name_by_name(
    tmp_path_factory: pytest.TempPathFactory,
    lists: list[list[tuple[str, bool]]],
    allow: list[str],
    asked: list[str],
) -> None:
    folder = tmp_path_factory.mktemp("build")
    cats = [Category.ADULT, Category.MALWARE, Category.ADULT][: len(lists)]
    files = []
    kept = [[(n, v) for n, v in entries if n != "gob.mx"] for entries in lists]
    for index, entries in enumerate(kept):
        path = folder / f"{index}.txt"
        path.write_text("".join(f"{'' if v else '@@'}||{n}^\n" for n, v in entries))
        files.append(ListFile(path, cats[index]))
    build(BuildPlan(files, folder / "out.cdb", DAY, allow, piece_lines=3))
    database = open_database(folder / "out.cdb")
    assert isinstance(database, Database)
    for name in [*asked, *(n for entries in kept for n, _ in entries), *allow]:
        assert about(database, name) == _plain_meaning(name, kept, cats, allow)
    database.close()
