"""A content folder's files: what is read back, and what is refused with which reason."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.demo import content_files, demo_emergency, demo_terms, demo_tramites
from municipio.content import (
    FILES,
    RECIPIENTS,
    Content,
    ContentProblem,
    ContentTrouble,
    Manifest,
    encode_manifest,
    encode_recipients,
    encode_values,
    make_manifest,
    read_content,
    read_manifest,
    version_key,
)
from municipio.padron import PadronRow, encode_padron, read_padron
from municipio.predial import (
    Account,
    Liquidacion,
    LiquidacionRow,
    SignedLiquidacion,
    encode_liquidacion,
)

AGE_KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
ESCROW_KEY = "age1ggyxu8hsmdl0p6hsyd3grkejx8tfvvqgszuwwylt8jfp0qyz0pssks6tst"
CLAVE = "0603900101023005000007"
Change = Callable[[Any], None]


def signed(clave: str = CLAVE) -> SignedLiquidacion:
    row = LiquidacionRow(2026, 124500, 12450, "1", 0, 0, 0, 27390, 109560)
    day, until = date(2026, 1, 20), date(2026, 1, 31)
    liquidacion = Liquidacion("L1", clave, day, until, (row,), 109560, "", "demo")
    return SignedLiquidacion(liquidacion, encode_liquidacion(liquidacion), b"s" * 64)


ACCOUNT = Account(CLAVE, "M. L. H.", "Calle Juárez", "Centro", "urbano")
ROWS = (PadronRow(ACCOUNT, signed()), PadronRow(replace(ACCOUNT, clave="1" * 16), None))


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {
        **content_files(),
        "recipients.json": encode_recipients({r: [AGE_KEY, ESCROW_KEY] for r in RECIPIENTS}),
        "padron.ndjson": encode_padron(ROWS),
    }


def read(files: dict[str, bytes]) -> Content | ContentProblem:
    manifest = make_manifest(
        files, version="2026-01-20.1", created=date(2026, 1, 20), inegi="30039"
    )
    return read_content(manifest, files)


def spoiled(files: dict[str, bytes], name: str, change: Change) -> ContentProblem:
    """The problem that a freshly signed content has after `change` to one file's JSON."""
    document = json.loads(files[name])
    change(document)
    problem = read({**files, name: json.dumps(document).encode()})
    assert isinstance(problem, ContentProblem)
    assert (problem.file, problem.trouble) == (name, ContentTrouble.MALFORMED)
    return problem


def test_the_demo_content_reads_back_as_it_was_written(files: dict[str, bytes]) -> None:
    content = read(files)
    assert isinstance(content, Content)
    assert content.tramites == demo_tramites()
    assert content.terms == demo_terms()
    assert content.emergency == demo_emergency()
    assert content.recipients == {r: (AGE_KEY, ESCROW_KEY) for r in RECIPIENTS}


def test_only_confirmed_emergency_numbers_are_in_the_demo() -> None:
    assert [number for _, number in demo_emergency()] == ["911", "071"]


def test_the_padron_reads_back_with_the_bytes_that_were_signed(files: dict[str, bytes]) -> None:
    assert tuple(read_padron(files["padron.ndjson"])) == ROWS


def test_every_file_is_held_to_its_hash(files: dict[str, bytes]) -> None:
    manifest = make_manifest(
        files, version="2026-01-20.1", created=date(2026, 1, 20), inegi="30039"
    )
    for name in FILES:
        problem = read_content(manifest, {**files, name: files[name] + b" "})
        assert isinstance(problem, ContentProblem)
        assert (problem.file, problem.trouble) == (name, ContentTrouble.CORRUPTED)
        missing = {n: raw for n, raw in files.items() if n != name}
        gone = read_content(manifest, missing)
        assert isinstance(gone, ContentProblem)
        assert str(gone) == f"{name}: the file is missing"


def _set(key: str, value: Any, at: int = 0) -> Change:
    return lambda document: document[at].__setitem__(key, value)


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("tramites.json", _set("precio", 1), "unknown field `precio`"),
        ("tramites.json", lambda d: d[0].pop("name"), "missing required field `name`"),
        ("tramites.json", _set("consulted", "many"), "Expected `int`"),
        ("tramites.json", _set("category", "nada"), "unknown category"),
        ("tramites.json", lambda d: d.append(d[0]), "is there twice"),
        ("tramites.json", lambda d: d[0]["cost"].update(kind="barato"), "Invalid enum value"),
        ("categories.json", lambda d: d.pop(), "6 categories, not 7"),
        ("categories.json", _set("icon", "<svg>"), "not a lucide icon name"),
        ("services.json", _set("code", "BACHE 1"), "lower-case ASCII"),
        ("services.json", lambda d: d.append(d[0]), "is there twice"),
        ("colonias.json", lambda d: d.append(d[0]), "is there twice"),
        ("emergency.json", _set("number", "llame"), "matching regex"),
        ("terms.json", _set("body", "otra cosa"), "does not have the hash"),
        ("terms.json", lambda d: d.pop(), "no terms in en"),
        ("terms.json", lambda d: d.append({**d[0]}), "is there twice"),
        ("recipients.json", lambda d: d.update(siac=[]), "siac has no key"),
        ("recipients.json", lambda d: d.update(siac=["ssh-rsa AAAA"]), "is no age key"),
        ("recipients.json", lambda d: d.update(alcalde=[AGE_KEY]), "unknown field `alcalde`"),
    ],
)
def test_a_signed_file_that_breaks_the_layout_is_refused(
    files: dict[str, bytes], name: str, change: Change, reason: str
) -> None:
    assert reason in spoiled(files, name, change).reason


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_bytes_that_are_no_json_are_refused(files: dict[str, bytes], raw: bytes) -> None:
    problem = read({**files, "tramites.json": raw})
    assert isinstance(problem, ContentProblem)
    assert problem.file == "tramites.json"


def manifest_of(files: dict[str, bytes]) -> Manifest:
    return make_manifest(files, version="2026-01-20.1", created=date(2026, 1, 20), inegi="30039")


def test_a_manifest_reads_back_only_with_the_citys_signature(files: dict[str, bytes]) -> None:
    manifest = manifest_of(files)
    raw = encode_manifest(manifest)
    signature = base64.b64encode(b"x" * 64) + b"\n"
    assert read_manifest(raw, signature, verify=lambda s, m: s == b"x" * 64) == manifest
    refused = read_manifest(raw, signature, verify=lambda s, m: False)
    assert isinstance(refused, ContentProblem)
    assert refused.trouble is ContentTrouble.BAD_SIGNATURE
    garbled = read_manifest(raw, b"%%%", verify=lambda s, m: True)
    assert isinstance(garbled, ContentProblem)
    assert "not base64" in str(garbled)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(v=2), "layout 2 is not known"),
        (lambda d: d.update(version="mañana"), "is not a version"),
        (lambda d: d.update(version="2026-13-01.1"), "month must be in 1..12"),
        (lambda d: d.update(created="ayer"), "Invalid isoformat"),
        (lambda d: d.update(inegi="39"), "matching regex"),
        (lambda d: d["files"].pop("terms.json"), "too much or too little: terms.json"),
        (lambda d: d["files"].update({"../settings.toml": "0" * 64}), "../settings.toml"),
    ],
)
def test_a_signed_manifest_that_breaks_the_layout_is_refused(
    files: dict[str, bytes], change: Change, reason: str
) -> None:
    document = json.loads(encode_manifest(manifest_of(files)))
    change(document)
    problem = read_manifest(json.dumps(document).encode(), b"", verify=lambda s, m: True)
    assert isinstance(problem, ContentProblem)
    assert reason in problem.reason


def test_versions_are_ordered_by_date_and_then_number() -> None:
    versions = ["2026-01-20.10", "2026-01-20.9", "2025-12-31.99", "2026-02-01.1"]
    assert sorted(versions, key=version_key) == [
        "2025-12-31.99", "2026-01-20.9", "2026-01-20.10", "2026-02-01.1",
    ]  # fmt: skip


def test_an_incomplete_set_cannot_be_published(files: dict[str, bytes]) -> None:
    partial = {n: files[n] for n in FILES[:-1]}
    with pytest.raises(ValueError, match="exactly these files"):
        manifest_of(partial)
    with pytest.raises(ValueError, match="recipients are exactly"):
        encode_recipients({"siac": [AGE_KEY]})
    with pytest.raises(ValueError, match="its escrow"):
        encode_recipients({r: [AGE_KEY, AGE_KEY] for r in RECIPIENTS})
    with pytest.raises(ValueError, match="no age key"):
        encode_recipients({r: ["nada", "nadie"] for r in RECIPIENTS})


def _line(change: Change) -> bytes:
    document = json.loads(encode_padron(ROWS[:1]))
    change(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{}\n", "line 1: Object missing required field"),
        (encode_padron(ROWS[:1]) + b"\n", "line 2"),
        (encode_padron(ROWS[:1] * 2), "line 2: clave 0603900101023005000007 is there twice"),
        (_line(lambda d: d.update(owner="Pedro Páramo")), "unknown field `owner`"),
        (_line(lambda d: d.update(clave="123")), "line 1"),
        (_line(lambda d: d.update(clave="1" * 22)), "belongs to 0603900101023005000007"),
        (_line(lambda d: d["liquidacion"].update(signature="AAAA")), "not an Ed25519 signature"),
        (_line(lambda d: d["liquidacion"].update(payload="{}")), "line 1"),
    ],
)
def test_a_bad_padron_line_is_named_and_stops_the_reading(raw: bytes, reason: str) -> None:
    *_, last = read_padron(raw)
    assert isinstance(last, ContentProblem)
    assert last.file == "padron.ndjson"
    assert reason in last.reason


def test_a_liquidacion_whose_sums_do_not_hold_is_refused() -> None:
    payload = signed().payload.decode().replace('"total_centavos":109560', '"total_centavos":1')
    raw = _line(lambda d: d["liquidacion"].update(payload=payload))
    *_, last = read_padron(raw)
    assert isinstance(last, ContentProblem)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_hostile_bytes_never_raise(raw: bytes) -> None:
    manifest = Manifest("2026-01-20.1", date(2026, 1, 20), "30039", {
        name: hashlib.sha256(raw).hexdigest() for name in FILES
    })  # fmt: skip
    assert isinstance(read_content(manifest, dict.fromkeys(FILES, raw)), ContentProblem)
    assert isinstance(read_manifest(raw, raw, verify=lambda s, m: True), ContentProblem)
    assert all(isinstance(r, ContentProblem) for r in read_padron(raw))


def test_equal_values_give_equal_bytes() -> None:
    assert encode_values(demo_tramites()) == encode_values(demo_tramites())
