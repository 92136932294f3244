"""A demonstration city from nothing: keys, padrón with signed liquidaciones, content for the nodes.

Running it again is safe: keys stay, accounts that a node's payment settled stay settled, and the
rest is made anew for the date.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, delete, select

from central.city import City
from central.content import write_content
from central.demo import content_files, demo_services, demo_tramites
from central.demo_padron import known_accounts, make_padron
from central.indicators import replace_services, replace_tramites
from central.keys import create_city_keys, load_recipients
from central.predial import liquidacion_row, liquidate
from central.schema import accounts, liquidaciones
from central.store import Store, insert_missing
from municipio.content import MANIFEST, encode_recipients, version_key
from municipio.identifiers import format_clave
from municipio.padron import PadronRow, encode_padron
from municipio.predial import Account, Perfil


class DemoError(ValueError):
    """The demonstration cannot be made there; the message is fit for a terminal."""


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """One of the accounts to try by hand. An amount of 0 means that nothing is owed."""

    shows: str
    clave: str
    total_centavos: int
    valid_until: str


@dataclass(frozen=True, slots=True)
class DemoCity:
    """What was made, for the terminal and for `--json`."""

    keys: Path
    content: Path
    version: str
    accounts: int
    known: tuple[KnownAccount, ...]


def make_demo_city(
    store: Store, city: City, perfil: Perfil, *, keys: Path, content: Path, on: date, count: int
) -> DemoCity:
    """Fill keys, database and content folder. Raises KeysError, DemoError or OSError."""
    version = _next_version(content, on)
    key = create_city_keys(keys)
    with store.begin() as connection:
        _replace_accounts(connection, city.inegi, perfil, on, count)
        replace_services(connection, city.inegi, demo_services())
        replace_tramites(connection, city.inegi, demo_tramites())
        padron = _sign_padron(connection, city.inegi, perfil, on, key.sign)
    files = content_files()
    files["padron.ndjson"] = encode_padron(padron)
    files["recipients.json"] = encode_recipients(load_recipients(keys))
    write_content(content, files, version=version, created=on, inegi=city.inegi, sign=key.sign)
    by_clave = {row.account.clave: row for row in padron}
    known = []
    for shows, account in known_accounts(on):
        signed = by_clave[account.clave].liquidacion
        assert signed is not None, "every demo account has a liquidación"
        owed = signed.liquidacion
        clave = format_clave(account.clave, city.clave_mask)
        until = owed.valid_until.isoformat()
        known.append(KnownAccount(shows, clave, owed.total_centavos, until))
    return DemoCity(keys, content, version, len(padron), tuple(known))


def _next_version(content: Path, on: date) -> str:
    """`YYYY-MM-DD.n`, one more than what a content folder of the same day says.

    A folder that holds something else is refused, because publishing replaces it whole.
    """
    manifest = content / MANIFEST
    if content.exists() and not manifest.exists():
        if not content.is_dir() or any(content.iterdir()):
            raise DemoError(f"{content} is no content folder; it would be replaced whole")
        return f"{on}.1"
    try:
        day, number = version_key(json.loads(manifest.read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"{on}.1"
    return f"{on}.{number + 1}" if day == on else f"{on}.1"


def _replace_accounts(
    connection: Connection, inegi: str, perfil: Perfil, on: date, count: int
) -> None:
    untouched = and_(accounts.c.inegi == inegi, accounts.c.paid_folio == "")
    connection.execute(delete(accounts).where(untouched))
    insert_missing(connection, accounts, [a.row(inegi) for a in make_padron(perfil, on, count)])


def _sign_padron(
    connection: Connection, inegi: str, perfil: Perfil, on: date, sign: Callable[[bytes], bytes]
) -> list[PadronRow]:
    """Every account with its liquidación of that day, remembered in the city's books."""
    mine = select(accounts).where(accounts.c.inegi == inegi).order_by(accounts.c.clave)
    padron: list[PadronRow] = []
    issued: list[dict[str, Any]] = []
    for row in connection.execute(mine):
        signed = liquidate(perfil, row.tax, row.paid_through, on, sign)
        account = Account(
            row.clave, row.owner_masked, row.street, row.colonia, row.kind, row.benefit
        )
        padron.append(PadronRow(account, signed))
        issued.append(liquidacion_row(inegi, signed))
    insert_missing(connection, liquidaciones, issued)
    return padron
