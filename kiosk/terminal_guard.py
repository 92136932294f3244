"""No other terminal while the one before it may hold somebody's money.

A terminal of another kind never saw the charges of the one before and would swear that they do not
exist. So the kind is remembered, and changed only once no card payment waits for an answer.
"""

from __future__ import annotations

from municipio.payments import PaymentMethod, PaymentState
from municipio.settings import Settings
from municipio.usecases.ports import Ledger
from sync.datadir import DataDir

KIND_NAME = "terminal-kind"
_WAITS = frozenset({PaymentState.COLLECTING, PaymentState.UNKNOWN})


def terminal_trouble(data: DataDir, settings: Settings, ledger: Ledger) -> str:
    """Why the terminal of the settings may not be used yet, empty when it may; remembers it then."""
    if not settings.flag("terminal.enabled"):
        return ""
    kind, file = _identity(settings), data.path / KIND_NAME
    try:
        before = file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        before = ""
    if before == kind:
        return ""
    waiting = [
        p.folio
        for p in ledger.open_payments()
        if p.method is PaymentMethod.CARD and p.state in _WAITS
    ]
    if before and waiting:
        return (
            f"terminal.kind is now «{kind}» but {len(waiting)} card payment(s) wait for an answer of"
            f" «{before}» ({', '.join(waiting[:3])}): no card is charged until they are resolved."
            f" Put «{before}» back until then"
        )
    try:
        fresh = file.with_suffix(".new")
        fresh.write_text(kind + "\n", encoding="utf-8")
        fresh.replace(file)
    except OSError as error:
        return f"{file}: {error.strerror}: no card is charged"
    return ""


def _identity(settings: Settings) -> str:
    kind = settings.text("terminal.kind")
    return kind if kind == "serial" else f"{kind} {settings.text('terminal.point_id')}".strip()
