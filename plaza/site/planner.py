"""From a site file and what is there to the list of steps. Pure; see `plaza.site.steps` for its rule."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping

from captive_portal.site import SiteProblem, parse_site
from municipio.settings import SettingsError, parse_settings
from municipio.site_code import is_site_code, site_code_note
from municipio.site_file.decode import decode
from municipio.site_file.fault import SiteFault, error_text, fault_lines
from municipio.site_file.network import (
    CABLE_FILE,
    RADIO_FILE,
    UNMANAGED_FILE,
    cable_profile,
    is_cable,
    radio_profile,
    unmanaged,
)
from municipio.site_file.node_files import (
    WAITING_RULES,
    WAITING_SETTINGS,
    lay_over,
    settings_of,
    site_rules_of,
)
from municipio.site_file.parse import parse_site_file
from municipio.site_file.plan import SitePlan
from municipio.site_file.shape import STORED, shown
from municipio.site_file.state import SiteStanding, SiteState, encode_state
from municipio.site_file.write import blank_secrets, write_site_file
from municipio.wire.keys import KeyFormatError, load_public, public_pem
from plaza.site.found import ERROR_NAME, NEW_NAME, SITE_NAME, find_site, is_blanked
from plaza.site.steps import Blank, MakeKey, Place, Remove, Seen, Step, Write
from sync.site_code import CODE_NAME
from sync.site_state import ENROL_NAME, STATE_NAME

LAST_GOOD = "site/plaza.toml"
SECRETS = "site/secrets.json"
TOKEN_FILE = "keys/mercadopago.token"  # noqa: S105  a file's name
SITE_CODE_FILE = f"keys/{CODE_NAME}"
ONE_TIME = ("city.code", "technician.code")
"""Secrets that are used once and never needed again from here."""


def plan_steps(seen: Seen) -> tuple[Step, ...]:
    """Everything to do, in order. An empty boot partition of a node that works changes nothing on it."""
    found = find_site(seen.boot)
    if isinstance(found, SiteFault):
        return _refuse(seen, (found,))
    if found is None:
        return _missing(seen)
    name, raw = found
    read = parse_site_file(raw)
    if isinstance(read, SitePlan):
        read = _complete(read, seen)
    return _refuse(seen, read) if not isinstance(read, SitePlan) else _do(seen, read, name, raw)


def _complete(plan: SitePlan, seen: Seen) -> SitePlan | tuple[SiteFault, ...]:
    """The plan with the secrets that this node keeps, or what this very node cannot do."""
    kept = secrets_from(seen.secrets)
    faults = [
        SiteFault(
            f"{shown(name)} dice «{STORED[1:-1]}», pero este nodo no lo tiene: escríbalo otra vez",
            name,
        )
        for name in sorted(plan.stored() - kept.keys() - {*ONE_TIME})
    ]
    other = _other_identity(plan, seen)
    faults += [other] if other else []
    return tuple(faults) or plan.with_secrets(kept | dict.fromkeys(ONE_TIME, ""))


def _other_identity(plan: SitePlan, seen: Seen) -> SiteFault | None:
    before = _identity(seen.settings) if seen.has_ledger else ""
    if before and before != f"{plan.node_code} {plan.text('city.inegi')}":
        return SiteFault(
            f"esta tarjeta ya atendió como {before.split()[0]} y guarda sus trámites: para otro lugar, "
            "grabe una tarjeta nueva",
            "site.number",
        )
    if plan.text("city.key") and seen.city_key:
        if _pem(plan.text("city.key")) != seen.city_key:
            return SiteFault(
                f"{shown('city.key')} es de otra ciudad que la de este nodo", "city.key"
            )
    elif plan.text("city.key") and not _pem(plan.text("city.key")):
        return SiteFault(f"{shown('city.key')} no es una llave que se pueda leer", "city.key")
    return None


def _identity(settings: str) -> str:
    try:
        known = parse_settings(tomllib.loads(settings))
    except (tomllib.TOMLDecodeError, SettingsError):
        return ""
    return f"{known.node_code} {known.text('city.inegi')}"


def _pem(text: str) -> bytes:
    """The city's key as this node writes it; empty when it is none."""
    try:
        return public_pem(load_public(text.encode()))
    except KeyFormatError:
        return b""


def secrets_from(raw: bytes) -> dict[str, str]:
    try:
        document = json.loads(raw)
        return {str(k): v for k, v in document.items() if isinstance(v, str)}
    except (ValueError, AttributeError, RecursionError):
        return {}


# --- what each case comes to


def _do(seen: Seen, plan: SitePlan, name: str, raw: bytes) -> tuple[Step, ...]:
    said = _said(raw)
    kept = secrets_from(seen.secrets) | {n: v for n, v in said.items() if n not in ONE_TIME}
    blanked = _blanked(raw, plan, said)
    is_named = name.lower() == SITE_NAME
    state = SiteState(SiteStanding.GOOD, plan.node_code, plan.text("site.name"))
    return (
        _write(Place.SYSTEM, SECRETS, _json(kept), 0o600),
        *_system(plan),
        *_keys(plan, seen, said),
        _write(Place.DATA, "settings.toml", _settings(plan, seen)),
        _write(Place.DATA, "site.toml", _rules(plan, seen)),
        MakeKey(),
        _write(Place.SYSTEM, LAST_GOOD, blanked, 0o600),
        *([Blank(SITE_NAME, blanked)] if said or not is_named else []),
        *(Remove(Place.BOOT, n) for n in _leftovers(seen, name)),
        Remove(Place.BOOT, ERROR_NAME),
        Write(Place.DATA, STATE_NAME, encode_state(state)),
    )


def _refuse(seen: Seen, faults: tuple[SiteFault, ...]) -> tuple[Step, ...]:
    lasts = bool(seen.last_good)
    told = Write(Place.BOOT, ERROR_NAME, error_text(faults, serves_with_last=lasts), 0o644)
    lines = tuple(fault_lines(faults))
    if lasts:
        plan = parse_site_file(seen.last_good)
        node = plan.node_code if isinstance(plan, SitePlan) else ""
        name = plan.text("site.name") if isinstance(plan, SitePlan) else ""
        state = SiteState(SiteStanding.KEPT, node, name, lines)
        return told, Write(Place.DATA, STATE_NAME, encode_state(state))
    waiting = SiteState(SiteStanding.WAITING, faults=lines)
    return (
        told,
        Write(Place.DATA, STATE_NAME, encode_state(waiting)),
        _write(Place.DATA, "settings.toml", lay_over(seen.settings, WAITING_SETTINGS)),
        _write(Place.DATA, "site.toml", lay_over(seen.rules, WAITING_RULES)),
        MakeKey(),
    )


def _missing(seen: Seen) -> tuple[Step, ...]:
    """No file at all: a node that had one puts it back, a new one asks for it."""
    if not seen.last_good:
        return _refuse(seen, (SiteFault(f"no hay ningún archivo {SITE_NAME} en la tarjeta"),))
    plan = parse_site_file(seen.last_good)
    assert isinstance(plan, SitePlan), "only a plan that was read is kept"
    state = SiteState(SiteStanding.GOOD, plan.node_code, plan.text("site.name"))
    return (
        Blank(SITE_NAME, seen.last_good),
        Remove(Place.BOOT, NEW_NAME),
        Remove(Place.BOOT, ERROR_NAME),
        Write(Place.DATA, STATE_NAME, encode_state(state)),
    )


# --- parts of a good plan


def _system(plan: SitePlan) -> tuple[Step, ...]:
    """The system's own files. A mark in `off` keeps a unit from starting."""
    off = {
        "kiosk": not plan.has_kiosk,
        "networkmanager": is_cable(plan),
        "modem": plan.text("uplink.kind") != "lte",
    }
    key = plan.text("technician.ssh_key")
    cable = cable_profile(plan) if is_cable(plan) else None
    radio = None if is_cable(plan) else radio_profile(plan)
    return (
        _there(CABLE_FILE, cable, 0o644),
        _there(RADIO_FILE, radio, 0o600),
        _there(UNMANAGED_FILE, None if radio is None else unmanaged(plan), 0o644),
        _there("ssh/authorized_keys", f"{key}\n" if key else None, 0o644),
        *(_there(f"off/{unit}", "" if is_off else None, 0o644) for unit, is_off in off.items()),
    )


def _there(name: str, text: str | None, mode: int) -> Step:
    """A system file with this text, or none at all."""
    gone = Remove(Place.SYSTEM, name)
    return gone if text is None else _write(Place.SYSTEM, name, text, mode)


def _keys(plan: SitePlan, seen: Seen, said: Mapping[str, str]) -> tuple[Step, ...]:
    """Keys, certificates and codes. A code is written down only when it is newly said."""
    steps: list[Step] = []
    if plan.text("city.ca"):
        steps.append(_write(Place.DATA, "keys/city-ca.pem", plan.text("city.ca").strip() + "\n"))
    if plan.text("city.key") and not seen.city_key:
        steps.append(Write(Place.DATA, "keys/city.pub", _pem(plan.text("city.key")), 0o644))
    if plan.text("terminal.token"):
        token = plan.text("terminal.token").encode() + b"\n"
        steps.append(Write(Place.DATA, TOKEN_FILE, token, 0o600, "plaza-kiosk"))
    if "city.code" in said:
        wanted = {
            "code": said["city.code"],
            "url": plan.text("city.url").rstrip("/"),
            "ca": _ca(plan, seen),
        }
        steps.append(_write(Place.DATA, f"keys/{ENROL_NAME}", _json(wanted), 0o660))
    code = said.get("technician.code", "")
    if code and not is_site_code(seen.site_code, code):
        note = site_code_note(code, seen.salt)
        steps.append(Write(Place.DATA, SITE_CODE_FILE, note, 0o660))
    return tuple(steps)


def _ca(plan: SitePlan, seen: Seen) -> str:
    return f"{seen.data}/keys/city-ca.pem" if plan.text("city.ca") else ""


def _settings(plan: SitePlan, seen: Seen) -> str:
    """Over what is there; alone where what is there would stop the node."""
    wanted = settings_of(plan, _ca(plan, seen), TOKEN_FILE if plan.text("terminal.token") else "")
    laid = lay_over(seen.settings, wanted)
    try:
        parse_settings(tomllib.loads(laid))
    except (tomllib.TOMLDecodeError, SettingsError):
        return lay_over("", wanted)
    return laid


def _rules(plan: SitePlan, seen: Seen) -> str:
    laid = lay_over(seen.rules, site_rules_of(plan))
    return lay_over("", site_rules_of(plan)) if isinstance(parse_site(laid), SiteProblem) else laid


def _said(raw: bytes) -> dict[str, str]:
    plan = parse_site_file(raw)
    return plan.secrets() if isinstance(plan, SitePlan) else {}


def _leftovers(seen: Seen, name: str) -> list[str]:
    """Other names of what is now `plaza.toml`. A FAT partition takes `Plaza.toml` for the same file."""
    return [
        n
        for n, raw in seen.boot.items()
        if n.lower() not in (SITE_NAME, ERROR_NAME) and (n in (name, NEW_NAME) or is_blanked(raw))
    ]


def _blanked(raw: bytes, plan: SitePlan, said: Mapping[str, str]) -> bytes:
    """The technician's file as it was spelled, without its secrets."""
    decoded = decode(raw)
    assert not isinstance(decoded, SiteFault), "a plan was read from these bytes"
    text, spelling = decoded
    blanked = blank_secrets(text, said)
    if blanked is None:  # readable, but not to be changed in place: written anew
        blanked = write_site_file({**plan.values, **dict.fromkeys(said, STORED)})
    return spelling.encode(blanked)


def _json(values: Mapping[str, str]) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True) + "\n"


def _write(place: Place, name: str, text: str | bytes, mode: int = 0o640) -> Write:
    return Write(place, name, text.encode() if isinstance(text, str) else text, mode)
