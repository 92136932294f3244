"""The audit trail: who of the staff looked at what, and what was exported, erased or decided.

Rows are added and never changed. `who` is the name of a token, never of a person and never the token;
at a terminal it is the account of the operating system.
"""

from __future__ import annotations

import getpass
import hashlib
import secrets
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, select, update

from central.schema_fleet import audit, staff_tokens
from central.store import Store, insert_missing
from municipio.facts import format_time

NEWEST = 500
TERMINAL = "terminal"


class TokenError(ValueError):
    """A token that cannot be made or taken back; the message is fit for a terminal."""


def note(
    connection: Connection,
    inegi: str,
    who: str,
    what: str,
    at: datetime,
    *,
    folio: str = "",
    detail: str = "",
) -> None:
    """Add one row inside the transaction of what it tells of."""
    row = {"inegi": inegi, "id": uuid.uuid4().hex, "at": format_time(at), "who": who}
    connection.execute(audit.insert().values(**row, what=what, folio=folio, detail=detail[:400]))


def operator(name: str = "") -> str:
    """Who works at this terminal."""
    try:
        return name or f"{TERMINAL}:{getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name
        return TERMINAL


def newest(store: Store, inegi: str, folio: str = "") -> list[Row[Any]]:
    """The newest rows, newest first; of one folio when it is given."""
    a = audit.c
    mine = and_(a.inegi == inegi, a.folio == folio) if folio else a.inegi == inegi
    with store.begin() as connection:
        rows = connection.execute(select(audit).where(mine).order_by(a.at.desc()).limit(NEWEST))
        return list(rows)


def make_token(
    store: Store, inegi: str, name: str, at: datetime, table: Table = staff_tokens
) -> str:
    """A new token, told this once; of the staff, or of another register with the same columns.

    Raises TokenError when the name is taken.
    """
    if not (name.isprintable() and 2 <= len(name) <= 40) or name.startswith(TERMINAL):
        raise TokenError("a token's name has 2 to 40 signs and says whose it is")
    token = secrets.token_urlsafe(24)
    row = {"inegi": inegi, "name": name, "digest": _digest(token)}
    with store.begin() as connection:
        c = table.c
        if connection.execute(select(c.name).where(c.inegi == inegi, c.name == name)).first():
            raise TokenError(
                f"«{name}» had a token before; take another name, for the trail's sake"
            )
        made = {**row, "made_at": format_time(at), "revoked_at": ""}
        insert_missing(connection, table, [made])
    return token


def revoke_token(
    store: Store, inegi: str, name: str, at: datetime, table: Table = staff_tokens
) -> None:
    """Refuse a token from now on. Raises TokenError when there is none."""
    c = table.c
    mine = and_(c.inegi == inegi, c.name == name, c.revoked_at == "")
    with store.begin() as connection:
        if connection.execute(select(c.name).where(mine)).first() is None:
            raise TokenError(f"«{name}» has no token")
        connection.execute(update(table).where(mine).values(revoked_at=format_time(at)))


def list_tokens(store: Store, inegi: str, table: Table = staff_tokens) -> list[Row[Any]]:
    c = table.c
    with store.begin() as connection:
        return list(connection.execute(select(table).where(c.inegi == inegi).order_by(c.name)))


def token_name(store: Store, inegi: str, token: str, table: Table = staff_tokens) -> str:
    """Whose token this is; empty when nobody's. Found by its hash, so no comparison leaks it."""
    c = table.c
    mine = and_(c.inegi == inegi, c.digest == _digest(token), c.revoked_at == "")
    with store.begin() as connection:
        return connection.scalars(select(c.name).where(mine)).first() or ""


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
