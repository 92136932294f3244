"""Every list format, line by line: what is taken, what is refused, and that nothing is widened."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.filter.lists import (
    Entry,
    Reason,
    Refusal,
    Refused,
    Result,
    RpzReader,
    choose_parser,
    parse_line,
)
from captive_portal.filter.names import NameProblem
from captive_portal.filter.policy import Category
from captive_portal.filter.reading import ListFile, ListReader, ListUnreadable, find_lists


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("0.0.0.0 malo.example", ["malo.example"]),
        ("127.0.0.1\tmalo.example  otro.example # nota", ["malo.example", "otro.example"]),
        ("::1 malo.example", ["malo.example"]),
        ("0.0.0.0 0.0.0.0", []),
        ("127.0.0.1 localhost localhost.localdomain", []),
        ("malo.example", ["malo.example"]),
        ("*.malo.example", ["malo.example"]),
        (".malo.example", ["malo.example"]),
        ("MALO.Example.", ["malo.example"]),
        ("malo.example # nota", ["malo.example"]),
        ("piñata.example", ["xn--piata-pta.example"]),
        ("||malo.example^", ["malo.example"]),
        ("||*.malo.example^", ["malo.example"]),
        ("||malo.example^$important", ["malo.example"]),
        ("||malo.example^|", ["malo.example"]),
        ("||malo.example", ["malo.example"]),
        ("# nota", []),
        ("! Title: lista", []),
        ("; nota", []),
        ("[Adblock Plus 2.0]", []),
        ("   ", []),
    ],
)
def test_a_line_gives_its_names(line: str, names: list[str]) -> None:
    assert parse_line(line) == tuple(Entry(n) for n in names)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("||malo.example^$third-party", Refusal.MODIFIER),
        ("||malo.example^$important,script", Refusal.MODIFIER),
        ("||malo.example/ruta^", Refusal.PATH),
        ("||malo.example:8080^", Refusal.PATH),
        ("||anuncios*.example^", Refusal.PATH),
        ("||203.0.113.9^", NameProblem.ADDRESS),
        ("||com^", NameProblem.TOO_BROAD),
        ("|https://malo.example/", Refusal.BROWSER_RULE),
        ("@@|https://malo.example/", Refusal.BROWSER_RULE),
        ("/anuncio[0-9]+/", Refusal.BROWSER_RULE),
        ("malo.example##.anuncio", Refusal.BROWSER_RULE),
        ("malo.example#@#.anuncio", Refusal.BROWSER_RULE),
        ("https://malo.example/", NameProblem.NOT_A_NAME),
        ("dos palabras", Refusal.UNKNOWN_SHAPE),
        ("address=/malo.example/0.0.0.0", NameProblem.NOT_A_NAME),
        ("0.0.0.0 mal$o.example", NameProblem.NOT_A_NAME),
        ("a" * 300 + ".example", NameProblem.TOO_LONG),
        ("com.mx", NameProblem.TOO_BROAD),
        ("mal\0o.example", NameProblem.NOT_A_NAME),
        ("203.0.113.9", NameProblem.ADDRESS),
    ],
)
def test_a_line_that_cannot_be_obeyed_is_refused_with_its_reason(line: str, reason: Reason) -> None:
    assert parse_line(line) == (Refused(reason, line),)


def test_an_exception_of_a_list_is_kept_apart() -> None:
    assert parse_line("@@||bueno.example^") == (Entry("bueno.example", listed=False),)


RPZ = """\
$TTL 300
$ORIGIN rpz.example.
@ IN SOA ns.example. hostmaster.example. (
    2026010101 ; serial
    3600 900 604800 300 )
  NS ns.example.
malo.example            CNAME .
*.malo.example          CNAME .
otro.example    60 IN   CNAME *.   ; NODATA
entero.example.rpz.example. CNAME .
desvio.example          A 192.0.2.1
                        AAAA 2001:db8::1
bueno.example           CNAME rpz-passthru.
tcp.example             CNAME rpz-tcp-only.
24.0.2.0.192.rpz-ip     CNAME .
texto.example           TXT "a ; b"
$GENERATE 1-9 x$ CNAME .
"""


def test_a_response_policy_zone_is_read_with_its_origin_owners_and_actions() -> None:
    reader = choose_parser(RPZ)
    results = [r for line in RPZ.splitlines() for r in reader(line)]
    assert [r for r in results if isinstance(r, Entry)] == [
        Entry("malo.example"),
        Entry("malo.example"),
        Entry("otro.example"),
        Entry("entero.example"),
        Entry("desvio.example"),
        Entry("desvio.example"),
        Entry("bueno.example", listed=False),
        Entry("texto.example"),
    ]
    assert [r.reason for r in results if isinstance(r, Refused)] == [
        Refusal.RPZ_ACTION,
        Refusal.RPZ_TRIGGER,
    ]


def test_a_zone_is_recognised_and_a_hosts_file_is_not_taken_for_one() -> None:
    assert isinstance(choose_parser("malo.example CNAME .\n"), RpzReader)
    assert isinstance(choose_parser("$TTL 60\n"), RpzReader)
    assert choose_parser("# CNAME notes\n0.0.0.0 a.example\n") is parse_line


@settings(max_examples=400)
@given(st.text(max_size=200))
def test_no_line_makes_a_parser_fail(line: str) -> None:
    for parser in (parse_line, RpzReader()):
        for result in parser(line):
            assert isinstance(result, Entry | Refused)


_label = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
_name = st.builds(lambda a, b: f"{a}.{b}.example", _label, _label).filter(lambda n: "xn--" not in n)


@settings(max_examples=150)
@given(
    _name, st.sampled_from(["{}", "0.0.0.0 {}", "||{}^", "*.{}", "{} # x", "  {}  ", "{}.", "{}\r"])
)
def test_a_name_comes_out_of_every_format_as_it_went_in(name: str, shape: str) -> None:
    assert parse_line(shape.format(name)) == (Entry(name),)
    assert RpzReader()(f"{name} CNAME .") == (Entry(name),)


def read(path: Path) -> list[Result]:
    return list(ListReader(ListFile(path, Category.ADULT)).results())


@pytest.mark.parametrize(
    "raw",
    [
        b"uno.example\ndos.example\n",
        b"uno.example\r\ndos.example\r\n",
        b"uno.example\rdos.example",
        b"\xef\xbb\xbfuno.example\ndos.example",
        gzip.compress(b"uno.example\ndos.example\n"),
        gzip.compress(b"\xef\xbb\xbfuno.example\r\ndos.example"),
    ],
)
def test_line_ends_marks_and_packing_do_not_matter(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "lista.txt"
    path.write_bytes(raw)
    assert read(path) == [Entry("uno.example"), Entry("dos.example")]


def test_odd_bytes_refuse_their_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "lista.txt"
    path.write_bytes(b"uno.example\n\xff\xfe\x00.example\n" + b"x" * 3_000_000 + b"\ndos.example\n")
    names = [r for r in read(path) if isinstance(r, Entry)]
    assert names == [Entry("uno.example"), Entry("dos.example")]


@pytest.mark.parametrize("cut", [20, 60, -9])
def test_a_packed_list_that_is_cut_is_no_list(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "adult.gz"
    path.write_bytes(gzip.compress(b"".join(b"%d.example\n" % (n * n) for n in range(90)))[:cut])
    with pytest.raises(ListUnreadable, match=r"adult\.gz"):
        read(path)


def test_a_category_is_told_written_or_in_the_name(tmp_path: Path) -> None:
    told = tmp_path / "x.txt"
    told.write_text("a.example\n")
    written = tmp_path / "y.txt"
    written.write_text("# Category: phishing\na.example\n")
    folder = tmp_path / "apuestas"
    folder.mkdir()
    (folder / "z.txt").write_text("a.example\n")
    (folder / ".oculto").write_text("a.example\n")
    named = tmp_path / "doh-vpn-hosts.txt"
    named.write_text("a.example\n")
    found = find_lists([f"malware={told}", f"adult:{told}", str(written), str(folder), str(named)])
    assert [f.category for f in found] == [
        Category.MALWARE,
        Category.ADULT,
        Category.PHISHING,
        Category.GAMBLING,
        Category.DOH_VPN,
    ]


def test_a_list_without_a_category_says_what_to_write(tmp_path: Path) -> None:
    path = tmp_path / "lista.txt"
    path.write_text("a.example\n")
    with pytest.raises(ListUnreadable, match="CATEGORY="):
        find_lists([str(path)])
    assert find_lists([str(path)], Category.DRUGS) == [ListFile(path, Category.DRUGS)]
    with pytest.raises(ListUnreadable, match="No such file"):
        find_lists([str(tmp_path / "nada-adult.txt")])
