"""A city of 125,000 properties on a node: first import, a day's changes, and one look-up.

Prints one JSON object per figure. Everything is real but the network: TUF metadata and targets are read
from a folder, as from a stick.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyrage import x25519

from central.content import write_content
from central.demo import content_files
from central.publish import publish_content
from central.repository import Ceremony, create_repository
from municipio.clock import Instant, TimeQuality
from municipio.content import RECIPIENTS, encode_recipients
from municipio.padron import PadronRow, encode_padron
from municipio.predial import (
    Account,
    Liquidacion,
    LiquidacionRow,
    SignedLiquidacion,
    encode_liquidacion,
)
from sync.catalogue import SqliteCatalogue
from sync.datadir import DataDir
from sync.pull import Install, Pulled, Trust, pull_content
from sync.tuf_fetcher import FolderFetcher
from sync.whole_folder import NodeContent

ACCOUNTS = 125_000
CHANGED = ACCOUNTS // 100
INEGI = "30039"


class Clock:
    def now(self) -> Instant:
        return Instant(datetime.now(UTC), TimeQuality.SYNCED, "bench", 1)


def account(number: int, key: Ed25519PrivateKey) -> PadronRow:
    clave = f"{number:022d}"
    row = LiquidacionRow(2026, 124500, 12450, "1", 0, 0, 0, 27390, 109560)
    day, until = date(2026, 1, 20), date(2026, 1, 31)
    due = Liquidacion(f"L{number}", clave, day, until, (row,), 109560, "", "demo")
    payload = encode_liquidacion(due)
    signed = SignedLiquidacion(due, payload, key.sign(payload))
    return PadronRow(Account(clave, "M. L. H.", "Calle Juárez", "Centro", "urbano"), signed)


def main() -> None:
    key = Ed25519PrivateKey.generate()
    rows = [account(number, key) for number in range(ACCOUNTS)]
    age = [str(x25519.Identity.generate().to_public()) for _ in range(2)]
    small = {**content_files(), "recipients.json": encode_recipients({r: age for r in RECIPIENTS})}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        repo, keys, node = home / "repo", home / "keys", DataDir(home / "node")
        node.create()
        create_repository(repo, keys, Ceremony(), datetime.now(UTC))

        def publish(version: str) -> None:
            files = {**small, "padron.ndjson": encode_padron(rows)}
            folder, day = home / "content", date(2026, 1, 20)
            write_content(folder, files, version=version, created=day, inegi=INEGI, sign=key.sign)
            publish_content(repo, keys, folder, datetime.now(UTC))

        def pull() -> tuple[Pulled, float]:
            content = NodeContent(node, key.public_key(), INEGI, True, print)
            root = (repo / "metadata" / "1.root.json").read_bytes()
            trust = Trust(node.path / "tuf" / "metadata", node.path / "tuf" / "draft", root)
            install = Install(content.install, content.install_delta)
            start = time.perf_counter()
            done = pull_content(trust, FolderFetcher(repo), Clock(), node.catalogue, install)
            assert isinstance(done, Pulled), done
            return done, time.perf_counter() - start

        publish("2026-01-20.1")
        whole, first_s = pull()
        for number in range(0, ACCOUNTS, ACCOUNTS // CHANGED):
            former = rows[number]
            rows[number] = replace(former, account=replace(former.account, street="Calle Nueva"))
        publish("2026-01-21.1")
        delta, delta_s = pull()
        assert delta.was_delta
        size = f"padrón of {ACCOUNTS:,}"
        say(f"{size}: first import", first_s, "s", "<= 20")
        say(f"{size}: {CHANGED:,} rows changed", delta_s, "s", "<= 3")
        say(
            f"{size}: bytes moved for them", 100 * delta.bytes_moved / whole.bytes_moved, "%", "< 3"
        )
        look_up(SqliteCatalogue(node.catalogue), size)


def look_up(catalogue: SqliteCatalogue, size: str) -> None:
    catalogue.account("0" * 22)
    times = []
    for number in range(0, ACCOUNTS, 251):
        start = time.perf_counter()
        assert catalogue.account(f"{number:022d}") is not None
        times.append((time.perf_counter() - start) * 1000)
    say(f"{size}: look-up", statistics.quantiles(times, n=20)[18], "ms p95", "<= 2")


def say(what: str, value: float, unit: str, goal: str) -> None:
    print(
        json.dumps({"what": what, "value": round(value, 3), "unit": unit, "goal": goal}), flush=True
    )


if __name__ == "__main__":
    main()
