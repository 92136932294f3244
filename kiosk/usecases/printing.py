"""Printing so that an original comes out once: bytes stored before, verdict stored after.

A print that may have come out counts as out, so whatever follows is COPIA n; only a print that the
printer refused is tried again as the same original. Every method may block.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from kiosk.usecases import payment_facts
from kiosk.usecases.papers import MakePaper
from municipio.devices import DeviceState, Printer, PrintResult, PrintVerdict
from municipio.facts import FactType
from municipio.payments import PaymentEvent, PaymentState, advance
from municipio.receipts import PaperKind
from municipio.usecases.ports import Change, Ledger, NotRecorded, PrintJob

NEAR_END = "paper_near_end"
"""The one cause with which a printer still prints."""


@dataclass(frozen=True, slots=True)
class PrintRequest:
    """One paper for one folio. Papers without a folio (requisitos, ficha) leave no trace in the spool.

    `payment_key` names the payment that this paper is the receipt of.
    """

    kind: PaperKind
    folio: str
    make: MakePaper
    payment_key: str = ""


class PrintEnd(StrEnum):
    PRINTED = "printed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_SAVED = "not_saved"
    """The spool could not be written, so nothing was printed."""


@dataclass(frozen=True, slots=True)
class PrintOutcome:
    """`cause` is the printer's own word (`paper_end`, `no_answer`...); `job_id` is empty without a folio."""

    end: PrintEnd
    copy: int = 0
    cause: str = ""
    job_id: str = ""


class PrintDesk:
    """One printer, one paper at a time."""

    def __init__(self, ledger: Ledger, printer: Printer | None, new_id: Callable[[], str]) -> None:
        self._ledger = ledger
        self._printer = printer
        self._new_id = new_id
        self._lock = threading.Lock()

    def is_ready(self) -> bool:
        return self.cause() == ""

    def cause(self) -> str:
        """Why the printer cannot print now, empty when it can."""
        if self._printer is None:
            return "absent"
        status = self._printer.status()
        if status.state in {DeviceState.READY, DeviceState.BUSY} or status.cause == NEAR_END:
            return ""
        return status.cause or status.state.value

    def print(self, request: PrintRequest) -> PrintOutcome:
        """Print the original, or the next copy when an original may already be out."""
        with self._lock:
            if self._printer is None:
                return PrintOutcome(PrintEnd.FAILED, cause="absent")
            if not request.folio:
                rendered = self._printer.render(request.make(0))
                return _outcome(self._printer.print_rendered(rendered))
            return self._print_job(self._printer, request)

    def confirm_whole(self, request: PrintRequest, job_id: str) -> NotRecorded | None:
        """The person holds the whole paper although the printer could not say so."""
        with self._lock:
            job = self._ledger.print_job(job_id)
            assert job is not None, f"no print job {job_id}"
            return self._store(replace(job, verdict=PrintVerdict.PRINTED), request, "person")

    def _print_job(self, printer: Printer, request: PrintRequest) -> PrintOutcome:
        job = self._next_job(printer, request)
        if isinstance(job, NotRecorded) or self._ledger.save([job]) is not None:
            return PrintOutcome(PrintEnd.NOT_SAVED)
        result = printer.print_rendered(job.rendered)
        verdict = PrintVerdict.UNKNOWN if result.verdict is PrintVerdict.PENDING else result.verdict
        # If this cannot be stored the job stays pending, and after a restart it counts as out.
        self._store(replace(job, verdict=verdict, cause=result.cause), request, "printer")
        return replace(_outcome(result), copy=job.copy, job_id=job.id)

    def _next_job(self, printer: Printer, request: PrintRequest) -> PrintJob | NotRecorded:
        jobs = [j for j in self._ledger.print_jobs_for(request.folio) if j.kind == request.kind]
        for left in (j for j in jobs if j.verdict is PrintVerdict.PENDING):
            unknown = replace(left, verdict=PrintVerdict.UNKNOWN, cause="restart")
            failed = self._store(unknown, request, "")
            if failed is not None:
                return failed
        out = [j.copy for j in jobs if j.verdict is not PrintVerdict.FAILED]
        copy = max(out) + 1 if out else 0
        rendered = printer.render(request.make(copy))
        retry = next((j for j in jobs if j.copy == copy), None)
        return PrintJob(
            id=retry.id if retry else self._new_id(),
            folio=request.folio,
            kind=request.kind.value,
            copy=copy,
            sha256=hashlib.sha256(rendered).hexdigest(),
            rendered=rendered,
        )

    def _store(self, job: PrintJob, request: PrintRequest, by: str) -> NotRecorded | None:
        """The verdict, and with it the fact and the payment's step when this is a receipt."""
        fact_type = _fact_type(job)
        if request.kind is not PaperKind.RECIBO or fact_type is None:
            return self._ledger.save([job])
        confirmed_by = by if job.verdict is PrintVerdict.PRINTED else ""
        changes = self._receipt_changes(job, request)
        recorded = self._ledger.record(
            payment_facts.receipt(fact_type, job, confirmed_by), lambda _: changes
        )
        return recorded if isinstance(recorded, NotRecorded) else None

    def _receipt_changes(self, job: PrintJob, request: PrintRequest) -> Sequence[Change]:
        payment = self._ledger.payment(request.payment_key) if request.payment_key else None
        printed = job.verdict is PrintVerdict.PRINTED
        if payment is None or not printed or payment.state is not PaymentState.TAKEN:
            return (job,)
        state = advance(payment.state, PaymentEvent.RECEIPT_PRINTED)
        return (job, replace(payment, state=state))


def _fact_type(job: PrintJob) -> FactType | None:
    match job.verdict:
        case PrintVerdict.PRINTED:
            return FactType.RECEIPT_REPRINTED if job.copy else FactType.RECEIPT_PRINTED
        case PrintVerdict.UNKNOWN:
            return FactType.RECEIPT_UNKNOWN
        case PrintVerdict.FAILED | PrintVerdict.PENDING:
            return None


def _outcome(result: PrintResult) -> PrintOutcome:
    ends = {PrintVerdict.PRINTED: PrintEnd.PRINTED, PrintVerdict.FAILED: PrintEnd.FAILED}
    return PrintOutcome(ends.get(result.verdict, PrintEnd.UNKNOWN), cause=result.cause)
