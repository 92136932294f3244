"""Enrolment: one-time codes that the city gives a technician, and what becomes of them.

The city keeps the key that a code gives and not the code; what a code may do once, for one node, is
decided when it is made. Everything expires by the city's clock alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, select, update

from central.nodes import NodeError, add_node_in, judge_code
from central.problems import Problem, ProblemType
from central.schema import enrol_codes, nodes
from central.store import Store
from municipio.facts import format_time, parse_time
from municipio.wire.enrolment import EnrolAnswer, EnrolCode, EnrolRequest, encode_answer, new_code
from municipio.wire.keys import key_id

MAX_FAILURES = 10
"""Wrong proofs after which a code is dead: a guess at 60 bits needs more than ten."""

MAX_SITE = 100


@dataclass(frozen=True, slots=True)
class Enrolling:
    """What a new code will make: a node at a site, approved beforehand or not."""

    node: str
    site: str
    valid_for: timedelta
    is_preapproved: bool = False


def make_code(
    store: Store, inegi: str, wanted: Enrolling, random_below: Callable[[int], int], at: datetime
) -> EnrolCode:
    """A new code; former unused codes of the same node end. Raises NodeError with a clear sentence."""
    judge_code(wanted.node)
    if not wanted.site.strip() or len(wanted.site) > MAX_SITE or not wanted.site.isprintable():
        raise NodeError(f"a site has a printable name of 1 to {MAX_SITE} characters")
    with store.begin() as connection:
        c = enrol_codes.c
        names = set(connection.scalars(select(c.name).where(c.inegi == inegi)))
        code = new_code(random_below)
        while code.name in names:
            code = new_code(random_below)
        former = and_(c.inegi == inegi, c.node == wanted.node, c.used_at == "")
        connection.execute(update(enrol_codes).where(former).values(expires_at=format_time(at)))
        row = {
            "inegi": inegi, "name": code.name, "key": code.key(), "node": wanted.node,
            "site": wanted.site.strip(), "preapproved": int(wanted.is_preapproved),
            "made_at": format_time(at), "expires_at": format_time(at + wanted.valid_for),
            "failures": 0, "used_at": "", "used_key": "",
        }  # fmt: skip
        connection.execute(enrol_codes.insert().values(row))
    return code


def next_free_node(store: Store, inegi: str, city_code: str) -> str:
    """The first number that no node and no code has. Raises NodeError when all 999 are taken."""
    with store.begin() as connection:
        taken = set(connection.scalars(select(nodes.c.node).where(nodes.c.inegi == inegi)))
        promised = select(enrol_codes.c.node).where(enrol_codes.c.inegi == inegi)
        taken |= set(connection.scalars(promised))
    free = (f"{city_code}{number:03d}" for number in range(1, 1000))
    found = next((code for code in free if code not in taken), None)
    if found is None or not re.fullmatch(r"[A-Z]{3}", city_code):
        raise NodeError(f"no free node number with the letters {city_code!r}")
    return found


def enrol(
    store: Store, inegi: str, request: EnrolRequest, city_pem: bytes, at: datetime
) -> bytes | Problem:
    """Register the node that proves its code. The same request again is the same answer."""
    with store.begin() as connection:
        c = enrol_codes.c
        mine = and_(c.inegi == inegi, c.name == request.code_name)
        code = connection.execute(select(enrol_codes).where(mine).with_for_update()).first()
        if code is None or code.failures >= MAX_FAILURES:
            return _refused("no such code, or it is dead after too many wrong tries")
        if not request.is_proved(bytes(code.key)):
            connection.execute(update(enrol_codes).where(mine).values(failures=c.failures + 1))
            return _refused("the proof does not fit this code")
        identifier = key_id(request.public)
        if code.used_key and code.used_key != identifier:
            return Problem(ProblemType.CODE_USED, "another key was enrolled with this code")
        if not code.used_key:
            if at >= parse_time(code.expires_at):
                return Problem(ProblemType.CODE_EXPIRED, "ask the city for a new code")
            problem = _register(connection, inegi, code, request, at)
            if problem is not None:
                return problem
            used = {"used_at": format_time(at), "used_key": identifier}
            connection.execute(update(enrol_codes).where(mine).values(used))
        node = and_(nodes.c.inegi == inegi, nodes.c.node == code.node)
        state = connection.scalars(select(nodes.c.state).where(node)).one()
        answer = EnrolAnswer(code.node, inegi, code.site, state == "active", city_pem)
        return encode_answer(answer, bytes(code.key), request.public)


def _register(
    connection: Connection, inegi: str, code: Row[Any], request: EnrolRequest, at: datetime
) -> Problem | None:
    """A card made anew for the same site retires the key of the former one."""
    try:
        judge_code(code.node)
    except NodeError as e:  # a code of a version that did not look
        return _refused(f"{e}; ask the city for a new code")
    try:
        add_node_in(connection, inegi, code.node, request.public, at, replace=True)
    except NodeError:
        return Problem(ProblemType.CODE_USED, "this key already belongs to another node")
    state = "active" if code.preapproved else "waiting"
    mine = and_(nodes.c.inegi == inegi, nodes.c.node == code.node)
    connection.execute(update(nodes).where(mine).values(site=code.site, state=state))
    return None


def _refused(detail: str) -> Problem:
    return Problem(ProblemType.BAD_CODE, detail)
