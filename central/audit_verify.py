"""Checks an audit export of the city's books: `python verify.py DIR [--city-key city.pub]`.

It stands alone: this file, Python 3.11 and the package `cryptography`. It believes nothing in DIR but
what the city's key signed, and proves again from the bytes:

- every file is the one of the manifest, none is missing and none is more;
- every chain of every node is whole: each fact names the hash of the one before;
- the nodes' own signatures hold; one over a later batch proves all of its chain before it;
- counts and sums are those of the manifest, and every payment in a fact is in the books.

A fact whose content was erased (a person's right, or the term of its kind) keeps its place and the hash
that the next one names. That the content fitted the hash, and the signature of its batch, can no longer be
shown; how many there are is told. Nothing of a payment is ever erased.

Ends with 0 when all of it holds, otherwise 1 with what does not, a line each.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import csv
import hashlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
_RECOVERED = {"payment.recovered", "report.recovered", "terms.recovered", "node.recovered"}


def verify_export(directory: Path, city: Ed25519PublicKey) -> list[str]:
    """What does not hold, in words; empty when everything does."""
    try:
        return list(_check(directory, city))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as e:
        return [f"the export cannot be read: {type(e).__name__}: {e}"]


def _check(directory: Path, city: Ed25519PublicKey) -> Iterator[str]:
    raw = (directory / MANIFEST).read_bytes()
    if not _signed(city, (directory / SIGNATURE).read_bytes(), raw):
        yield f"{MANIFEST}: not signed by this city's key"
        return
    manifest = json.loads(raw)
    wrong = list(_files(directory, manifest["files"]))
    yield from wrong
    if wrong:
        return  # what the sums would be of is not what was signed
    keys = {
        node: [Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for key in known]
        for node, known in json.loads((directory / "keys.json").read_bytes()).items()
    }
    taken: dict[str, tuple[str, int, str]] = {}
    lanes: dict[str, int] = {}
    for chain in json.loads((directory / "chains.json").read_bytes()):
        name = f"{chain['node']}-{chain['epoch']}-{chain['lane']}"
        lines = (directory / "facts" / f"{name}.ndjson").read_bytes().split(b"\n")[:-1]
        yield from (f"{name}: {why}" for why in _chain(chain, lines, keys.get(chain["node"], [])))
        lanes[chain["lane"]] = lanes.get(chain["lane"], 0) + len(lines)
        aside = set(chain["quarantined"])
        for seq, line in enumerate(lines, start=chain["first"]):
            if seq not in aside and str(seq) not in chain["erased"]:
                taken |= taken_in(line)
    yield from _sums(manifest["totals"], taken, lanes)
    yield from _books(directory, manifest, taken)


def _files(directory: Path, known: dict[str, str]) -> Iterator[str]:
    there = {
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if path.is_file() or path.is_symlink()
    } - {MANIFEST, SIGNATURE}
    for name in sorted(there - known.keys()):
        yield f"{name}: not in the manifest"
    for name, sha256 in sorted(known.items()):
        if name not in there:
            yield f"{name}: missing"
        elif hashlib.sha256((directory / name).read_bytes()).hexdigest() != sha256:
            yield f"{name}: other bytes than the city signed"


def _chain(
    chain: dict[str, Any], lines: list[bytes], keys: list[Ed25519PublicKey]
) -> Iterator[str]:
    first, last = chain["first"], chain["last"]
    if len(lines) != last - first + 1:
        yield f"{len(lines)} facts do not fill {first}..{last}"
        return
    aside, erased = set(chain["quarantined"]), chain["erased"]
    yield from _husks(chain, lines)
    before = chain["prev"]
    for seq, line in enumerate(lines, start=first):
        if seq not in aside:
            fact = json.loads(line)
            place = (fact["epoch"], fact["lane"], fact["seq"], fact["prev"])
            if place != (chain["epoch"], chain["lane"], seq, before):
                yield f"seq {seq} does not follow the fact before it"
                return
        before = erased.get(str(seq)) or hashlib.sha256(line).hexdigest()
    if before != chain["head"]:
        yield "the chain does not end where the manifest says"
    proven = 0
    for seal in chain["seals"]:
        batch = _batch(chain, seal, lines)
        if any(seal["first"] <= int(seq) <= seal["last"] for seq in erased):
            proven = max(proven, seal["last"])
        elif not any(_signed(key, seal["signature"].encode() + b"\n", batch) for key in keys):
            yield f"batch {seal['first']}..{seal['last']}: not signed by a key of the node"
        else:
            proven = max(proven, seal["last"])
    if proven < last:
        yield f"facts {max(proven + 1, first)}..{last} carry no signature of the node"


def _husks(chain: dict[str, Any], lines: list[bytes]) -> Iterator[str]:
    for seq, sha256 in chain["erased"].items():
        line = lines[int(seq) - chain["first"]]
        if chain["lane"] == "pay":
            yield f"seq {seq}: a fact of a payment is gone"
        elif line and json.loads(line)["erased"]["hash"] != sha256:
            yield f"seq {seq}: the erased fact had another hash"


def _batch(chain: dict[str, Any], seal: dict[str, Any], lines: list[bytes]) -> bytes:
    """The bytes that the node signed: RFC 8785 header and facts, a line each."""
    header = {"v": 1, "prev": seal["prev"], "first": seal["first"], "last": seal["last"]}
    header |= {name: chain[name] for name in ("node", "epoch", "lane")}
    start = seal["first"] - chain["first"]
    inside = lines[start : seal["last"] - chain["first"] + 1]
    plain = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    return b"\n".join((plain, *inside)) + b"\n"


def taken_in(line: bytes) -> dict[str, tuple[str, int, str]]:
    """Folio to (method, centavos, node) of a payment that this fact says was taken."""
    fact = json.loads(line)
    if fact["type"] in _RECOVERED:
        try:
            fact = json.loads(fact["data"]["fact"])
        except (ValueError, KeyError, TypeError):
            return {}
    data = fact["data"]
    ended = data.get("state") or data.get("outcome")
    if fact["type"] != "payment.taken" and (fact["type"], ended) != ("payment.resolved", "taken"):
        return {}
    folio, amount = data.get("folio"), data.get("amount_centavos")
    if not isinstance(folio, str) or type(amount) is not int:
        return {}
    return {folio: (str(data.get("method", "")), amount, fact["source"].rpartition(":")[2])}


def _sums(
    totals: dict[str, Any], taken: dict[str, tuple[str, int, str]], lanes: dict[str, int]
) -> Iterator[str]:
    if lanes != totals["facts"]:
        yield f"facts: {lanes} and not {totals['facts']}"
    if summed(taken) != totals["payments"]:
        yield f"payments: {summed(taken)} and not {totals['payments']}"


def summed(taken: dict[str, tuple[str, int, str]]) -> dict[str, dict[str, int]]:
    """Count and centavos of payments by method."""
    found: dict[str, dict[str, int]] = {}
    for method, amount, _ in taken.values():
        one = found.setdefault(method, {"count": 0, "centavos": 0})
        one["count"] += 1
        one["centavos"] += amount
    return found


def _books(
    directory: Path, manifest: dict[str, Any], taken: dict[str, tuple[str, int, str]]
) -> Iterator[str]:
    posted: dict[str, set[int]] = {}
    for row in _rows(directory / "payments.csv"):
        posted.setdefault(row["folio"], set()).add(int(row["amount_centavos"]))
    for folio, (_, amount, node) in sorted(taken.items()):
        if node not in manifest["held"] and amount not in posted.get(folio, set()):
            yield f"payment {folio} of {amount} centavos is not in the books"
    lines: dict[str, dict[str, int]] = {}
    for row in _rows(directory / "settlements.csv"):
        one = lines.setdefault(row["kind"], {"count": 0, "gross": 0, "commission": 0, "net": 0})
        one["count"] += 1
        for name in ("gross", "commission", "net"):
            one[name] += int(row[f"{name}_centavos"])
    if lines != manifest["totals"]["settlements"]:
        yield f"settlements: {lines} and not {manifest['totals']['settlements']}"


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))


def _signed(public: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """`signature` is canonical base64 and a line break, so that no byte of it can change unseen."""
    try:
        plain = base64.b64decode(signature.removesuffix(b"\n"), validate=True)
        public.verify(plain, message)
    except (binascii.Error, InvalidSignature, ValueError):
        return False
    return base64.b64encode(plain) + b"\n" == signature


def _erased(directory: Path) -> int:
    chains = json.loads((directory / "chains.json").read_bytes())
    return sum(len(chain["erased"]) for chain in chains)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--city-key", type=Path, help="the city's public key, from another source")
    asked = parser.parse_args(words)
    path = asked.city_key or asked.directory / "city.pub"
    try:
        city = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as e:
        sys.stderr.write(f"{path}: {e}\n")
        return 1
    if not isinstance(city, Ed25519PublicKey):
        sys.stderr.write(f"{path}: not an Ed25519 key\n")
        return 1
    raw = city.public_bytes(Encoding.Raw, PublicFormat.Raw)
    sys.stdout.write(f"city key {hashlib.sha256(raw).hexdigest()[:16]}\n")
    if asked.city_key is None:
        sys.stdout.write("compare it with the city's own: the export brought this key itself\n")
    wrong = verify_export(asked.directory, city)
    for line in wrong:
        sys.stdout.write(f"WRONG {line}\n")
    if not wrong:
        totals = json.loads((asked.directory / MANIFEST).read_bytes())["totals"]
        erased = _erased(asked.directory)
        if erased:
            sys.stdout.write(
                f"{erased} facts are erased: their place and hash are proven, no more\n"
            )
        sys.stdout.write(f"all of it holds: {json.dumps(totals, sort_keys=True)}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
