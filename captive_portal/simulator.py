"""A portal with nothing behind it: ledger, catalogue and link in memory, with knobs to turn.

For tests, benches and looking at pages. Everything in it is invented (demostración). A program of a
real node never imports this module.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from uuid import UUID

from captive_portal.door import Door
from captive_portal.filter.database import Facts
from captive_portal.filter.lookup import Allowed, Answer, Blocked, Unreadable
from captive_portal.filter.policy import Category as Kind
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.visits import Gate
from captive_portal.languages import load_translations
from captive_portal.photos import photo_desk
from captive_portal.ports import Ports, site_from_settings
from captive_portal.pseudonym import DayKey
from captive_portal.resume import ResumeBook
from captive_portal.service_note import ServiceToday
from captive_portal.site import SiteProfile, site_of_settings
from municipio.acceptance import Sight, Snapshot
from municipio.clock import Instant, TimeQuality
from municipio.facts import ZERO_HASH, FactDraft, encode_fact, fact_hash, make_fact
from municipio.payments import Payment
from municipio.predial import Account, SignedLiquidacion
from municipio.reports import Service
from municipio.settings import Settings, parse_settings
from municipio.terms import Terms, make_terms
from municipio.tramites import Category, Cost, CostKind, Requirement, Tramite, cost_label
from municipio.usecases.ports import (
    AttachmentRef,
    Change,
    FolioStub,
    LinkReport,
    LinkState,
    NotRecorded,
    NotStored,
    Numbered,
    PrintJob,
    Recorded,
    TramiteHit,
    no_changes,
)
from sync.site_code import CodeAnswer


@dataclass
class SimulatedClock:
    """Stands still until `pass_seconds`; 20 January 2026, 18:00 UTC, known from the network."""

    moment: datetime = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
    quality: TimeQuality = TimeQuality.SYNCED
    boot_ms: int = 60_000
    boot: str = "boot-de-demostracion"

    def now(self) -> Instant:
        return Instant(self.moment, self.quality, self.boot, self.boot_ms)

    def ms(self) -> int:
        return self.boot_ms

    def pass_seconds(self, seconds: int) -> None:
        self.boot_ms += seconds * 1000


class RunningClock(SimulatedClock):
    """The same, but its monotonic half really runs."""

    def ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def now(self) -> Instant:
        return Instant(datetime.now(UTC), self.quality, self.boot, self.ms())


@dataclass
class SimulatedLink:
    state: LinkState = LinkState.ONLINE
    waiting: int = 0
    last_carried: str = ""
    since: str = ""
    today: ServiceToday | None = None
    """Hours of service that a battery limits."""

    def report(self) -> LinkReport:
        return LinkReport(self.state, self.waiting, self.last_carried, self.since)


@dataclass
class SimulatedLedger:
    """Numbers facts as the real ledger does and forgets them with the process."""

    clock: SimulatedClock
    refuse: NotRecorded | None = None
    facts: list[bytes] = field(default_factory=list)
    stubs: dict[str, FolioStub] = field(default_factory=dict)

    def record(
        self, draft: FactDraft, changes: Callable[[Numbered], Sequence[Change]] = no_changes
    ) -> Recorded | NotRecorded:
        if self.refuse is not None:
            return self.refuse
        seq = len(self.facts) + 1
        folio = f"COA007-R1-{seq:06d}-X"
        fact = make_fact(
            draft,
            id=UUID(int=seq),
            source="urn:plaza:30039:COA007",
            epoch=1,
            seq=seq,
            prev=fact_hash(self.facts[-1]) if self.facts else ZERO_HASH,
            at=self.clock.now(),
        )
        self.facts.append(encode_fact(fact))
        for change in changes(Numbered(fact.id, 1, seq, folio)):
            if isinstance(change, FolioStub):
                self.stubs[change.folio] = change
        return Recorded(fact, folio)

    def save(self, changes: Sequence[Change]) -> NotRecorded | None:
        return self.refuse

    def payment(self, key: str) -> Payment | None:
        return None

    def open_payments(self) -> tuple[Payment, ...]:
        return ()

    def payments_for(self, clave: str) -> tuple[Payment, ...]:
        return ()

    def payment_by_folio(self, folio: str) -> Payment | None:
        return None

    def folio(self, folio: str) -> FolioStub | None:
        return self.stubs.get(folio)

    def print_job(self, job_id: str) -> PrintJob | None:
        return None

    def print_jobs_for(self, folio: str) -> tuple[PrintJob, ...]:
        return ()


class SimulatedSealer:
    """Hides the text behind its length; nobody can open it."""

    def seal(self, recipient: str, plaintext: bytes) -> str:
        return f"sellado para {recipient}: {len(plaintext)} bytes"

    def seal_bytes(self, recipient: str, plaintext: bytes) -> bytes:
        return self.seal(recipient, plaintext).encode()


@dataclass
class SimulatedAttachments:
    """Keeps what was put, by hash; `refuse` is the answer of a full card."""

    kept: dict[str, bytes] = field(default_factory=dict)
    refuse: NotStored | None = None

    def put(self, sealed: bytes, media_type: str) -> AttachmentRef | NotStored:
        if self.refuse is not None:
            return self.refuse
        name = hashlib.sha256(sealed).hexdigest()
        self.kept[name] = sealed
        return AttachmentRef(name, len(sealed), media_type)


@dataclass
class SimulatedFilter:
    """Blocks every name below `bloqueada.example`, whose first label says why; `unreadable` is no list."""

    unreadable: bool = False

    def look_up(self, name: str, local: datetime | None = None) -> Answer:
        if self.unreadable:
            return Unreadable("demonstration")
        kind, _, parent = name.partition(".")
        if not f".{name}".endswith(".bloqueada.example"):
            return Allowed()
        if parent == "bloqueada.example" and kind in list(Kind):
            return Blocked(Kind(kind), date(2026, 1, 15), name)
        return Blocked(None, None, "bloqueada.example")

    def facts(self) -> Facts | Unreadable:
        if self.unreadable:
            return Unreadable("demonstration")
        made = "2026-01-15"
        return Facts("plaza-filter", 1, made, made, 1_000_000, {"adult": 1_000_000}, ["adult"], [])


_SERVICES = (
    Service("bache", "Bache", "Obras Públicas (demostración)", ("hoyo",), "construction"),
    Service("alumbrado", "Lámpara apagada", "Alumbrado (demostración)", ("luz",), "lightbulb"),
)
_TRAMITE = Tramite(
    id="COA-T-RC-ACT-1",
    name="Copia certificada de acta de nacimiento",
    dependency="Registro Civil",
    unit="Oficialía 01 (demostración)",
    category="familia",
    description="Documento que prueba su nombre, fecha y lugar de nacimiento.",
    cases="Cuando se la pidan para otro trámite.",
    requirements=(
        Requirement("Identificación oficial con fotografía", 1, 1),
        Requirement("CURP", 0, 1, held_by_government=True),
    ),
    cost=Cost(CostKind.FIXED, 10500, note="Importe de demostración."),
    time_text="El mismo día",
    time_days=0,
    validity="No vence",
    hours="Lunes a viernes, 9 a 15 h (demostración)",
    place="Palacio Municipal, planta baja (demostración)",
    phone="",
    legal_basis=("Código Civil del Estado (demostración)",),
    obtains=("Copia certificada",),
    channels=("ventanilla",),
    synonyms=("acta", "nacimiento"),
)
_BODY = {
    "es": "Esta red es gratuita y la ofrece el Ayuntamiento.\n\n- No pedimos datos personales.\n"
    "- Páginas para adultos, apuestas y fraudes están bloqueadas.",
    "en": "This network is free and offered by the municipality.\n\n- We ask for no personal data.\n"
    "- Adult, gambling and fraud pages are blocked.",
}
_NOTICE = {
    "es": "El Ayuntamiento de Ejemplo (demostración) es responsable. No pedimos ni guardamos su nombre, "
    "su teléfono ni las páginas que visita. Guardamos que alguien aceptó los términos y a qué hora.",
    "en": "The municipality (demonstration) is responsible. We neither ask for nor keep your name, your "
    "telephone or the pages you visit. We keep that somebody accepted the terms, and when.",
}


class SimulatedCatalogue:
    """Two services, one trámite, terms in two languages."""

    has_terms = True

    def search_tramites(self, query: str, limit: int = 20) -> tuple[TramiteHit, ...]:
        words = (_TRAMITE.name.lower(), *_TRAMITE.synonyms)
        return self.most_consulted(limit) if any(query.lower() in w for w in words) else ()

    def tramite(self, tramite_id: str) -> Tramite | None:
        return _TRAMITE if tramite_id == _TRAMITE.id else None

    def categories(self) -> tuple[Category, ...]:
        return (Category("familia", "Familia y registro civil", "users"),)

    def tramites_in(self, category_id: str) -> tuple[TramiteHit, ...]:
        return self.most_consulted() if category_id == _TRAMITE.category else ()

    def most_consulted(self, limit: int = 6) -> tuple[TramiteHit, ...]:
        cost = cost_label(_TRAMITE.cost, str)
        return (
            TramiteHit(
                _TRAMITE.id, _TRAMITE.name, _TRAMITE.dependency, cost, _TRAMITE.category, 1.0
            ),
        )

    def account(self, clave: str) -> Account | None:
        return None

    def liquidacion(self, clave: str) -> SignedLiquidacion | None:
        return None

    def services(self) -> tuple[Service, ...]:
        return _SERVICES

    def colonias(self) -> tuple[str, ...]:
        return ("Centro", "María de la Piedad", "Playa Sol")

    def terms(self, language: str) -> Terms | None:
        if not self.has_terms or language not in _BODY:
            return None
        titles = {"es": "Términos de uso del Wi-Fi público", "en": "Terms of the public Wi-Fi"}
        return make_terms(
            version="2026-01-20",
            language=language,
            title=titles[language],
            body=_BODY[language],
            notice_simple=_NOTICE[language],
            notice_full=_NOTICE[language],
        )

    def emergency_numbers(self) -> tuple[tuple[str, str], ...]:
        return (("Emergencias", "911"), ("Protección Civil (demostración)", "921 000 0000"))

    def recipient_keys(self, recipient: str) -> tuple[str, ...]:
        return ("age1demostracion",)

    def content_date(self) -> date | None:
        return date(2026, 1, 20)


@dataclass
class SimulatedPuttingUp:
    """A portal that is being put up. Satisfies `PuttingUp`; `code` opens once."""

    seen: Snapshot = field(default_factory=lambda: Snapshot("kept", code_waits=True))
    told: tuple[str, ...] = ("Línea 6: la clave «nunber» no existe en [site]. (demostración)",)
    code: str = "40712885"

    def note(self, sight: Sight) -> None:
        self.seen = replace(self.seen, sights=self.seen.sights | {sight})

    def snapshot(self) -> Snapshot:
        return self.seen

    def faults(self) -> tuple[str, ...]:
        return self.told

    def may_open(self) -> bool:
        return self.code != ""

    def open(self, code: str) -> tuple[CodeAnswer, str]:
        opens = self.code != "" and code == self.code
        return (CodeAnswer.OPENED, "(no pass)") if opens else (CodeAnswer.WRONG, "")


@dataclass
class SimulatedNode:
    """The knobs and the ports they turn."""

    clock: SimulatedClock
    link: SimulatedLink
    ledger: SimulatedLedger
    catalogue: SimulatedCatalogue
    attachments: SimulatedAttachments
    filter: SimulatedFilter
    status_key: list[bytes | None]
    """One item: the technician's key, or None."""
    ports: Ports


def simulated_node(
    *,
    listen: str = "127.0.0.1:8380",
    public_url: str = "",
    gate: Gate | None = None,
    clock: SimulatedClock | None = None,
    settings: Settings | None = None,
    profile: SiteProfile | None = None,
    ledger_type: type[SimulatedLedger] = SimulatedLedger,
) -> SimulatedNode:
    """A whole portal in memory. With `gate` given (a socket client, say) the portal enforces."""
    clock = clock or SimulatedClock()
    settings = settings or parse_settings({})
    profile = profile or site_of_settings(settings)
    link, ledger, catalogue = SimulatedLink(), ledger_type(clock), SimulatedCatalogue()
    sealer, attachments, listed = SimulatedSealer(), SimulatedAttachments(), SimulatedFilter()
    node_key: list[bytes | None] = [None]
    site = site_from_settings(
        settings,
        profile,
        listen=listen,
        public_url=public_url or f"http://{listen}",
        enforced=gate is not None,
    )
    gate = gate or MemoryGate(clock.ms, DayKey(clock.ms), profile.max_devices)
    ports = Ports(
        site=site,
        gate=gate,
        ledger=ledger,
        catalogue=catalogue,
        link=link,
        clock=clock,
        door=Door(
            profile=profile,
            gate=gate,
            ledger=ledger,
            catalogue=catalogue,
            clock=clock,
            zone=site.zone,
            codes=ResumeBook(None, clock),
        ),
        sealer=sealer,
        photos=photo_desk(sealer, attachments, clock, None),
        translations=load_translations(),
        filter=listed,
        service=lambda: link.today,
        status_key=lambda: node_key[0],
    )
    return SimulatedNode(clock, link, ledger, catalogue, attachments, listed, node_key, ports)
