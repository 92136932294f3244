"""Sealed files of nodes: parts are appended in order, and the whole counts once its hash is right.

Kept in the database, so that any process behind the balancer takes the next part. The city cannot open
them either: they are sealed to an office. What is unfinished is bounded per node, the oldest goes first.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select, update

from central.problems import Problem, ProblemType
from central.schema import attachment_parts, attachments, nodes
from central.store import Store, insert_missing
from municipio.wire.attachment import MAX_ATTACHMENT_BYTES, MAX_PART_BYTES, Progress, is_sha256

MAX_UNFINISHED = 16


def progress(store: Store, inegi: str, node: str, sha256: str) -> Progress | Problem:
    """How much of an attachment the city has."""
    if not is_sha256(sha256):
        return Problem(ProblemType.BAD_REQUEST, "not a SHA-256")
    with store.begin() as connection:
        return _progress(connection, _key(inegi, node, sha256))


def take_part(
    store: Store, inegi: str, node: str, sha256: str, size: int, first: int, body: bytes, at: str
) -> Progress | Problem:
    """Append bytes that start where the city's copy ends; anything else only says where that is."""
    if not is_sha256(sha256):
        return Problem(ProblemType.BAD_REQUEST, "not a SHA-256")
    if not 0 < size <= MAX_ATTACHMENT_BYTES or len(body) > MAX_PART_BYTES:
        return Problem(ProblemType.TOO_LARGE, "attachment or part too large")
    if not body or first + len(body) > size:
        return Problem(ProblemType.BAD_REQUEST, "the part does not lie inside the attachment")
    key = _key(inegi, node, sha256)
    with store.begin() as connection:
        _take_turns(connection, inegi, node)
        found = _progress(connection, key)
        if found.complete or first != found.received:
            return found
        insert_missing(connection, attachments, [{**key, "bytes": size, "received_at": at}])
        connection.execute(attachment_parts.insert().values(**key, first=first, body=body))
        if first + len(body) == size:
            return _finish(connection, key)
        _bound(connection, inegi, node)
        return Progress(node, sha256, first + len(body), complete=False)


def read_attachment(store: Store, inegi: str, sha256: str) -> bytes | None:
    """The sealed bytes of a complete attachment, from whichever node."""
    a = attachments.c
    with store.begin() as connection:
        mine = and_(a.inegi == inegi, a.sha256 == sha256, a.state == "complete")
        row = connection.execute(select(a.node).where(mine)).first()
        return None if row is None else _whole(connection, _key(inegi, row.node, sha256))


def _key(inegi: str, node: str, sha256: str) -> dict[str, Any]:
    return {"inegi": inegi, "node": node, "sha256": sha256}


def _here(table: Any, key: dict[str, Any]) -> Any:
    return and_(*(table.c[name] == value for name, value in key.items()))


def _take_turns(connection: Connection, inegi: str, node: str) -> None:
    """A row lock on PostgreSQL; SQLite's transactions already take turns."""
    mine = and_(nodes.c.inegi == inegi, nodes.c.node == node)
    connection.execute(select(nodes.c.node).where(mine).with_for_update())


def _progress(connection: Connection, key: dict[str, Any]) -> Progress:
    found = connection.execute(select(attachments).where(_here(attachments, key))).first()
    if found is not None and found.state != "waiting":  # an erased one is not wanted again
        return Progress(key["node"], key["sha256"], found.bytes, complete=True)
    length = func.coalesce(func.sum(func.length(attachment_parts.c.body)), 0)
    received = connection.scalar(select(length).where(_here(attachment_parts, key)))
    return Progress(key["node"], key["sha256"], int(received or 0), complete=False)


def _whole(connection: Connection, key: dict[str, Any]) -> bytes:
    p = attachment_parts.c
    parts = select(p.body).where(_here(attachment_parts, key)).order_by(p.first)
    return b"".join(bytes(body) for body in connection.scalars(parts))


def _finish(connection: Connection, key: dict[str, Any]) -> Progress:
    """All bytes are there: right, or to be sent again from the first one."""
    if hashlib.sha256(_whole(connection, key)).hexdigest() != key["sha256"]:
        for table in (attachment_parts, attachments):
            connection.execute(delete(table).where(_here(table, key)))
        return Progress(key["node"], key["sha256"], 0, complete=False)
    done = update(attachments).where(_here(attachments, key)).values(state="complete")
    connection.execute(done)
    (size,) = connection.execute(select(attachments.c.bytes).where(_here(attachments, key))).one()
    return Progress(key["node"], key["sha256"], size, complete=True)


def _bound(connection: Connection, inegi: str, node: str) -> None:
    a = attachments.c
    mine = and_(a.inegi == inegi, a.node == node, a.state == "waiting")
    found = connection.scalars(select(a.sha256).where(mine).order_by(a.received_at, a.sha256))
    for sha256 in list(found)[:-MAX_UNFINISHED]:
        for table in (attachment_parts, attachments):
            connection.execute(delete(table).where(_here(table, _key(inegi, node, sha256))))
