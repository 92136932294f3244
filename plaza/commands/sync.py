"""`plaza sync`: what waits for the city, push it now, prove that nothing is missing."""

from __future__ import annotations

import importlib
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from plaza.options import data_option, json_option
from sync.answers import Delivered, Refused, TooLarge, Wanted
from sync.attachments import AttachmentStore
from sync.datadir import DataDir
from sync.delivery import Delivery
from sync.link import FileLink, read_link
from sync.outbox import Outbox
from sync.protocol import Exchange, Pace, Rest, Salute, SendPart
from sync.run import run_worker
from sync.uploads import Uploads
from sync.verify import verify_ledger
from sync.wiring import CannotStart, Memory, build_delivery, open_memory

_ELSEWHERE = {name: "plaza.sync_stick" for name in ("export", "import", "stick")}
_ELSEWHERE |= {"pull": "plaza.sync_pull"}
"""Commands that live in modules of their own. The carrier runs for months and must not carry them."""


class _Sync(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE and cmd_name not in self.commands:
            module = importlib.import_module(_ELSEWHERE[cmd_name])
            for command in module.commands(lambda function: data_option(json_option(function))):
                self.add_command(command)
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Sync)
def sync() -> None:
    """The queue that reaches the city."""


@sync.command()
@data_option
def run(data: Path) -> None:
    """Carry facts to the city until stopped, and tell it how this node is."""
    from plaza.node_vitals import told_beside

    trouble = run_worker(DataDir(data), told_beside)
    if trouble is not None:
        _fail(trouble.detail)


@sync.command()
@data_option
@json_option
def status(data: Path, as_json: bool) -> None:
    """Per lane: recorded, acknowledged, waiting; how the link is."""
    memory = _open(data)
    try:
        document = _status(memory)
    finally:
        memory.close()
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    click.echo(f"{document['node']}  epoch {document['epoch']}  link {document['link']}")
    click.echo(f"last acknowledgement: {document['last_ack'] or 'never'}")
    if document["epoch_reason"] != "first":
        click.echo(f"epoch {document['epoch']} began because: {document['epoch_reason']}")
    files = document["attachments"]
    if files["waiting"] or files["missing"]:
        click.echo(
            f"sealed files: {files['waiting']} waiting, {files['missing']} lost on this node"
        )
    if document["trouble"]:
        click.echo(f"trouble: {document['trouble']}: {document['detail']}")
    click.echo("lane  epoch  recorded  acked  waiting")
    for row in document["lanes"]:
        click.echo(
            f"{row['lane']:<4}  {row['epoch']:>5}  {row['recorded']:>8}"
            f"  {row['acked']:>5}  {row['waiting']:>7}"
        )
    for problem in document["refused_by_city"]:
        click.echo(
            f"refused by the city: {problem['folio']}: {problem['code']} {problem['detail']}"
        )


@sync.command()
@data_option
@json_option
def verify(data: Path, as_json: bool) -> None:
    """Recompute every chain and check every page."""
    memory = _open(data)
    try:
        result = verify_ledger(memory.ledger)
    finally:
        memory.close()
    if as_json:
        click.echo(json.dumps({"facts": result.facts, "problems": list(result.problems)}))
    elif not result.problems:
        click.echo(f"ok: {result.facts} facts, every chain whole")
    for problem in result.problems:
        click.echo(problem, err=True)
    if result.problems:
        sys.exit(1)


@sync.command()
@data_option
@json_option
def salvage(data: Path, as_json: bool) -> None:
    """Replace a damaged ledger by what is readable of it. Stop the node's programs first.

    The node's own programs do the same when they start. The damaged file is kept in damaged/.
    """
    place = DataDir(data)
    memory = open_memory(place)
    if isinstance(memory, CannotStart):
        _fail(memory.detail)
    try:
        result, epoch = verify_ledger(memory.ledger), Outbox(memory.ledger).epoch()
        reason, detail = Outbox(memory.ledger).epoch_reason()
    finally:
        memory.close()
    document = {
        "epoch": epoch,
        "reason": reason,
        "detail": detail,
        "facts": result.facts,
        "problems": list(result.problems),
    }
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        click.echo(f"epoch {epoch} ({reason}): {result.facts} facts")
        for table, rows in detail.get("salvage", {}).get("rows", {}).items():
            click.echo(f"  {table}: {rows} rows read")
    for problem in result.problems:
        click.echo(problem, err=True)
    if result.problems:
        sys.exit(1)


@sync.command()
@data_option
@json_option
def push(data: Path, as_json: bool) -> None:
    """Try once, now, to carry everything that waits."""
    memory = _open(data)
    try:
        delivery = build_delivery(memory)
        if isinstance(delivery, CannotStart):
            _fail(delivery.detail)
        carried, trouble = _push(delivery, time.monotonic)
        waiting = delivery.outbox.waiting()
    finally:
        memory.close()
    if as_json:
        document: dict[str, Any] = {"carried": carried, "waiting": waiting}
        if trouble is not None:
            document |= {"trouble": trouble.trouble.value, "detail": trouble.detail}
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        click.echo(f"carried {carried}, waiting {waiting}")
    if trouble is not None:
        _fail(f"{trouble.trouble.value}: {trouble.detail}; nothing is lost, {waiting} wait")


def _push(delivery: Delivery, now: Callable[[], float]) -> tuple[int, Refused | None]:
    """Everything once, until the first trouble; (facts carried, that trouble)."""
    exchange = Exchange(Pace(3600, 3600, 3600), random.SystemRandom().random)
    before = delivery.outbox.waiting()
    trouble: Refused | None = None
    exchange.begin(now())
    while trouble is None:
        action = exchange.next(now(), delivery.outbox.stretches(), delivery.files())
        if isinstance(action, Rest):
            break
        if isinstance(action, SendPart):
            progress = delivery.send_part(action)
            exchange.part_answered(now(), action, progress)
            trouble = progress if isinstance(progress, Refused) else None
            continue
        if isinstance(action, Salute):
            trouble = delivery.salute()
            exchange.saluted(now(), trouble)
            continue
        outcome = delivery.send(action)
        follow = exchange.answered(now(), action, outcome)
        delivery.follow(follow, action, outcome.seq if isinstance(outcome, Wanted) else 0)
        if isinstance(outcome, Delivered | TooLarge | Wanted) and exchange.trouble is None:
            continue
        assert exchange.trouble is not None, "what was not delivered has a cause"
        trouble = Refused(exchange.trouble, exchange.detail)
    return before - delivery.outbox.waiting(), trouble


def _status(memory: Memory) -> dict[str, Any]:
    outbox = Outbox(memory.ledger)
    uploads = Uploads(memory.ledger, AttachmentStore(memory.data.attachments))
    heartbeat_s = memory.settings.number("sync.heartbeat_s")
    note = read_link(memory.data.link_file)
    return {
        "node": memory.settings.node_code,
        "epoch": outbox.epoch(),
        "link": FileLink(memory.data.link_file, memory.clock, heartbeat_s).report().state.value,
        "last_ack": outbox.last_carried(),
        "waiting": outbox.waiting(),
        "epoch_reason": outbox.epoch_reason()[0],
        "attachments": {"waiting": len(uploads.waiting()), "missing": uploads.missing()},
        "trouble": note.trouble if note else "",
        "detail": note.detail if note else "",
        "lanes": [
            {
                "lane": s.lane.value,
                "epoch": s.epoch,
                "recorded": s.last,
                "acked": s.acked,
                "waiting": s.waiting,
            }
            for s in outbox.stretches()
        ],
        "refused_by_city": [
            {"folio": folio, "seq": p.seq, "code": p.code, "detail": p.detail}
            for folio, p in outbox.problems()
        ],
    }


def _open(data: Path) -> Memory:
    if not DataDir(data).ledger.exists() and not data.is_dir():
        _fail(f"{data} is not a data directory of a node")
    memory = open_memory(DataDir(data), salvaging=False)
    if isinstance(memory, CannotStart):
        _fail(memory.detail)
    return memory


def _fail(text: str) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(1)
