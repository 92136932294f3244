"""What `plaza update` says: for a person in Spanish, for machines as one document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from plaza.image import ImageInfo
from plaza.updates.fetch import Round
from plaza.updates.rauc import RaucTrouble, Slot, Slots
from plaza.updates.rules import WORDS, No
from plaza.updates.state import Journal, State

STATES: dict[State, str] = {
    State.IDLE: "al día, hasta donde sabe",
    State.AVAILABLE: "hay una versión nueva",
    State.DOWNLOADING: "se está bajando",
    State.READY: "lista para instalarse",
    State.INSTALLING: "instalándose",
    State.INSTALLED: "instalada; falta reiniciar",
    State.TRIAL: "a prueba",
    State.LEAVING: "vuelve a la versión de antes",
    State.GOOD: "buena; falta avisar a la ciudad",
    State.RETURNED: "volvió la de antes; falta avisar a la ciudad",
}
ROUNDS: dict[Round, str] = {
    Round.NOTHING: "no hay nada más nuevo",
    Round.UNDER_WAY: "hay una actualización en curso",
    Round.READY: "lista para instalarse",
    Round.PAUSED: "en pausa: lo urgente va primero; lo bajado queda",
    Round.BROKEN_OFF: "se cortó; lo bajado queda y se sigue después",
    Round.WRONG: "lo que llegó no es lo que firmó la ciudad; se tiró",
}


def status_document(
    info: ImageInfo, journal: Journal, slots: Slots | RaucTrouble, waits: No | None, here: int
) -> dict[str, Any]:
    """`here`: bytes of the bundle that have come."""
    return {
        "image": {"version": info.version, "board": info.board, "built": info.built},
        "state": journal.state.value,
        "version": journal.version,
        "before": journal.before,
        "source": journal.source.value,
        "bytes": here,
        "size": journal.bundle.size if journal.bundle else 0,
        "waits_for": waits.value if waits else "",
        "cause": journal.cause.value if journal.cause else "",
        "detail": journal.detail,
        "returned": dict(journal.returned),
        "slots": [] if isinstance(slots, RaucTrouble) else [asdict(s) for s in _both(slots)],
        "trouble": slots.detail if isinstance(slots, RaucTrouble) else "",
    }


def status_text(
    info: ImageInfo, journal: Journal, slots: Slots | RaucTrouble, waits: No | None, here: int
) -> str:
    lines = [f"versión {info.version} para {info.board}"]
    if journal.version:
        size = journal.bundle.size if journal.bundle else 0
        share = f" ({here * 100 // size} %)" if journal.state is State.DOWNLOADING and size else ""
        lines.append(f"versión {journal.version}: {STATES[journal.state]}{share}")
    else:
        lines.append(STATES[journal.state])
    if waits:
        lines.append(f"  espera: {WORDS[waits]}")
    if isinstance(slots, RaucTrouble):
        lines.append(f"  ranuras: {slots.detail}")
    else:
        lines += [_slot_text(slot) for slot in _both(slots)]
    lines += [f"  no sirvió aquí: {version}" for version in sorted(journal.returned)]
    return "\n".join(lines)


def _both(slots: Slots) -> tuple[Slot, Slot]:
    return slots.booted, slots.other


def _slot_text(slot: Slot) -> str:
    runs = "arrancada" if slot.is_booted else "en espera"
    fit = "buena" if slot.bootable else "a prueba" if slot.is_booted else "no arranca"
    return f"  ranura {slot.bootname}: {runs}, {fit}{f', {slot.version}' if slot.version else ''}"
