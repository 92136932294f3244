"""The kiosk's papers: what the person is given, built from what the node knows and signed by its key.

Each method returns a builder from copy number (0 = original) to paper, because only the spool knows
which print this will be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from kiosk.language import Words
from municipio import papers
from municipio.clock import Clock
from municipio.facts import parse_time
from municipio.payments import Payment
from municipio.predial import Liquidacion
from municipio.receipts import Paper
from municipio.settings import Settings
from municipio.tramites import Tramite
from municipio.usecases.pase import PaseIssued
from municipio.usecases.ports import Catalogue, Signer
from municipio.usecases.reports import ReportFiled
from municipio.wire.receipt_code import make_receipt_code

MakePaper = Callable[[int], Paper]


@dataclass(frozen=True, slots=True)
class PaperWriter:
    settings: Settings
    words: Words
    clock: Clock
    catalogue: Catalogue
    signer: Signer

    def recibo(self, payment: Payment) -> MakePaper:
        """The receipt of a taken payment; the same whenever it is printed, but for the copy mark."""
        code = self.receipt_code(payment)
        language, owner = self.words.code, self._owner(payment.clave)
        return lambda copy: papers.recibo(
            self.settings,
            self.words,
            folio=payment.folio,
            paid_at=parse_time(payment.taken_at) if payment.taken_at else None,
            clave=payment.clave,
            owner_masked=owner,
            concepts=payment.concepts,
            amount_centavos=payment.amount_centavos,
            method=payment.method,
            authorization=payment.authorization,
            card_last4=payment.card_last4,
            security_chain=papers.cadena_de_seguridad(code),
            verify_url=papers.verification_url(self.settings, code),
            copy=copy,
            language=language,
        )

    def receipt_code(self, payment: Payment) -> str:
        """Signed text that proves folio, amount and day of a taken payment."""
        day: date | None = None
        if payment.taken_at:
            zone = ZoneInfo(self.settings.text("city.timezone"))
            day = parse_time(payment.taken_at).astimezone(zone).date()
        return make_receipt_code(payment.folio, payment.amount_centavos, day, self.signer.sign)

    def receipt_url(self, payment: Payment) -> str:
        return papers.verification_url(self.settings, self.receipt_code(payment))

    def verificacion(self, payment: Payment, resolved_by: str) -> MakePaper:
        moment, language = self._moment(), self.words.code
        return lambda copy: papers.pago_en_verificacion(
            self.settings,
            self.words,
            folio=payment.folio,
            at=moment,
            clave=payment.clave,
            amount_centavos=payment.amount_centavos,
            follow_url=self.follow_url(payment.folio),
            resolved_by=resolved_by,
            copy=copy,
            language=language,
        )

    def efectivo(self, payment: Payment) -> MakePaper:
        """What a cash payment owes or leaves in doubt; only for a payment that does."""
        moment, language = self._moment(), self.words.code
        return lambda copy: papers.comprobante_efectivo(
            self.settings,
            self.words,
            payment=payment,
            at=moment,
            follow_url=self.follow_url(payment.folio),
            copy=copy,
            language=language,
        )

    def pase(self, issued: PaseIssued, *, stale: bool) -> MakePaper:
        """`stale`: the debt comes from a snapshot older than 24 hours."""
        moment, language = self._moment(), self.words.code
        owner = self._owner(issued.liquidacion.clave)
        return lambda copy: papers.pase_de_caja(
            self.settings,
            self.words,
            folio=issued.folio,
            issued_at=moment,
            liquidacion=issued.liquidacion,
            owner_masked=owner,
            references=issued.references,
            follow_url=self.follow_url(issued.folio),
            may_be_paid_elsewhere=stale,
            copy=copy,
            language=language,
        )

    def reporte(self, filed: ReportFiled, *, colonia: str, street: str) -> MakePaper:
        moment, language = self._moment(), self.words.code
        return lambda copy: papers.comprobante_reporte(
            self.settings,
            self.words,
            folio=filed.folio,
            filed_at=moment,
            service_name=filed.service.name,
            dependency=filed.service.dependency,
            colonia=colonia,
            street=street,
            follow_url=self.follow_url(filed.folio),
            copy=copy,
            language=language,
        )

    def requisitos(self, tramite: Tramite) -> MakePaper:
        url, language = self.tramite_url(tramite), self.words.code
        return lambda copy: papers.requisitos(
            self.settings, self.words, tramite=tramite, url=url, language=language
        )

    def beneficio(self, clave: str) -> MakePaper:
        language = self.words.code
        return lambda copy: papers.requisitos_beneficio(
            self.settings, self.words, clave=clave, language=language
        )

    def ficha(self, liquidacion: Liquidacion, known_on: date) -> MakePaper:
        """The last known debt, without a reference to pay with."""
        account = self.catalogue.account(liquidacion.clave)
        moment, language = self._moment(), self.words.code
        return lambda copy: papers.ficha_consulta(
            self.settings,
            self.words,
            liquidacion=liquidacion,
            known_on=known_on,
            owner_masked=account.owner_masked if account else "",
            street=account.street if account else "",
            colonia=account.colonia if account else "",
            printed_at=moment,
            copy=copy,
            language=language,
        )

    def tramite_url(self, tramite: Tramite) -> str:
        """Its page on this site's portal, or where it can be done on line."""
        if tramite.online_url:
            return tramite.online_url
        base = self.settings.text("portal.public_url").rstrip("/")
        return f"{base}/es/tramites/{tramite.id}"

    def follow_url(self, folio: str) -> str:
        return papers.follow_url(self.settings, folio)

    def _owner(self, clave: str) -> str:
        account = self.catalogue.account(clave)
        return account.owner_masked if account else ""

    def _moment(self) -> datetime | None:
        instant = self.clock.now()
        return instant.time if instant.is_trusted else None
