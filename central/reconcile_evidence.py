"""What the nodes' facts say about money, as the reconciliation needs it: charges, pases and cuts.

Read from the stored facts behind the projections, each chain from where the last run stopped, in the
same transaction as the mark. A fact read twice changes nothing.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, Row, and_, select

from central.effects import StoredFact
from central.nodes import NodeState
from central.schema import facts, heads, nodes
from central.schema_money import cash_cuts, charges, evidence_heads
from central.store import Store, insert_missing, upsert
from municipio.facts import (
    RECOVERED,
    FactError,
    FactType,
    Lane,
    decode_fact,
    encode_fact,
    parse_time,
)
from municipio.identifiers import make_folio

STEP = 1000
_RANK = {"open": 0, "unknown": 1, "ended": 2, "taken": 3}
_CUT = b'"cash_cut"'
_DECODER = msgspec.json.Decoder(StoredFact)
_CHAIN = ("inegi", "node", "epoch", "lane")


def gather(store: Store, inegi: str, zone: ZoneInfo) -> int:
    """Bring charges and cuts up to the projections; returns how many facts were read."""
    h, n = heads.c, nodes.c
    held = select(n.node).where(n.inegi == inegi, n.state == NodeState.QUARANTINED.value)
    lanes = h.lane.in_((Lane.PAY.value, Lane.VIT.value))
    with store.begin() as connection:
        mine = select(heads).where(h.inegi == inegi, lanes, h.node.not_in(held))
        chains = connection.execute(mine).all()
    return sum(_gather_chain(store, chain, zone) for chain in chains)


def _gather_chain(store: Store, chain: Row[Any], zone: ZoneInfo) -> int:
    """A payment counts once its posting is in the books, so that lane follows the projections."""
    until = chain.projected if chain.lane == Lane.PAY else chain.through
    key = {name: getattr(chain, name) for name in _CHAIN}
    mark = and_(*(evidence_heads.c[name] == value for name, value in key.items()))
    done = 0
    while True:
        with store.begin() as connection:
            insert_missing(connection, evidence_heads, [{**key, "through": 0}])
            locked = select(evidence_heads.c.through).where(mark).with_for_update()
            through = connection.scalars(locked).one()
            if through >= until:
                return done
            last = min(through + STEP, until)
            here = and_(*(facts.c[name] == value for name, value in key.items()))
            rows = select(facts.c.raw).where(here, facts.c.seq.between(through + 1, last))
            for raw in connection.scalars(rows.order_by(facts.c.seq)).all():
                if chain.lane == Lane.PAY or _CUT in bytes(raw):
                    _take(connection, chain.inegi, chain.node, bytes(raw), zone)
            connection.execute(evidence_heads.update().where(mark).values(through=last))
            done += last - through


def _take(connection: Connection, inegi: str, node: str, raw: bytes, zone: ZoneInfo) -> None:
    fact = _unwrapped(_DECODER.decode(raw), node)
    if fact is None:
        return
    day = "" if fact.time is None else parse_time(fact.time).astimezone(zone).date().isoformat()
    if fact.type is FactType.TECHNICIAN_ACTED and fact.data.get("action") == "cash_cut":
        row = {
            "inegi": inegi,
            "id": fact.id,
            "node": node,
            "folio": make_folio(node, fact.lane, fact.epoch, fact.seq),
            "day": day,
            "settled": "",
            "counted_centavos": _amount(fact, "counted_centavos"),
            "difference_centavos": _amount(fact, "difference_centavos"),
        }
        insert_missing(connection, cash_cuts, [row])
        return
    state = _state(fact)
    if state:
        _note_charge(connection, inegi, node, fact, day, state)


def _unwrapped(fact: StoredFact, node: str) -> StoredFact | None:
    """The fact, or the one inside a recovered one."""
    if fact.type not in RECOVERED.values():
        return fact
    inner = fact.data.get("fact")
    try:
        found = decode_fact(inner.encode()) if isinstance(inner, str) else None
    except (FactError, UnicodeEncodeError):
        return None
    if found is None or found.type in RECOVERED.values() or not found.source.endswith(f":{node}"):
        return None
    return _DECODER.decode(encode_fact(found))


def _state(fact: StoredFact) -> str:
    match fact.type:
        case FactType.PAYMENT_INTENDED | FactType.PASE_ISSUED:
            return "open"
        case FactType.PAYMENT_UNKNOWN:
            return "unknown"
        case FactType.PAYMENT_TAKEN:
            return "taken"
        case FactType.PAYMENT_RESOLVED:
            outcome = _text(fact, "outcome") or _text(fact, "state")
            return "taken" if outcome == "taken" else "ended"
    return ""


def _note_charge(
    connection: Connection, inegi: str, node: str, fact: StoredFact, day: str, state: str
) -> None:
    folio = _text(fact, "folio") or make_folio(node, fact.lane, fact.epoch, fact.seq)
    mine = and_(charges.c.inegi == inegi, charges.c.folio == folio)
    before = connection.execute(select(charges).where(mine)).mappings().first()
    is_pase = fact.type is FactType.PASE_ISSUED
    said = {
        "code": _text(fact, "key"),
        "clave": _text(fact, "clave"),
        "liquidacion_id": _text(fact, "liquidacion_id"),
        "method": "pase" if is_pase else _text(fact, "method"),
        "authorization": _text(fact, "authorization"),
        "last4": _text(fact, "card_last4"),
        "day": day,
        "due": _text(fact, "due"),
        "amount_centavos": _amount(fact, "amount_centavos"),
    }
    row: dict[str, Any] = dict(before or {"settled": "", "state": state, "seq": fact.seq})
    row |= {name: value or row.get(name, value) for name, value in said.items()}
    if _RANK[state] >= _RANK[row["state"]]:
        row["state"] = state
    upsert(connection, charges, row | {"inegi": inegi, "folio": folio, "node": node})


def _text(fact: StoredFact, name: str) -> str:
    value = fact.data.get(name)
    return value[:200] if isinstance(value, str) and value.isprintable() else ""


def _amount(fact: StoredFact, name: str) -> int:
    value = fact.data.get(name)
    return value if type(value) is int and abs(value) < 2**53 else 0
