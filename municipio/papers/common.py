"""Parts that papers share: letterhead, moments, folio, footer, and the addresses in QR codes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from municipio.identifiers import format_clave
from municipio.receipts import Align, Cut, Line, Pair, Qr, Rule, Size, Text
from municipio.settings import Settings

Gettext = Callable[[str], str]
"""Spanish text in, text of the paper's language out."""


def letterhead(settings: Settings, *titles: str) -> list[Line]:
    """Who issues the paper and what the paper is."""
    office = f"{settings.text('city.treasury')} · RFC {settings.text('city.rfc')}"
    return [
        Text(settings.text("city.legal_name"), Align.CENTER, bold=True),
        Text(office, Align.CENTER, size=Size.SMALL),
        *(Text(title, Align.CENTER, bold=True) for title in titles),
    ]


def copy_mark(copy: int, _: Gettext) -> list[Line]:
    """`COPIA n` on every print after the first; nothing on the original."""
    if copy < 0:
        raise ValueError("copy is 0 for the original and n for COPIA n")
    if copy == 0:
        return []
    return [Text(_("COPIA {n}").format(n=copy), Align.CENTER, bold=True, size=Size.LARGE)]


def date_text(day: date, _: Gettext) -> str:
    """A date in the order that the paper's language reads without doubt."""
    text = _("{day:02d}/{month:02d}/{year}")
    return text.format(day=day.day, month=day.month, year=day.year)


def moment_text(moment: datetime | None, settings: Settings, _: Gettext) -> str:
    """Date and time in the city's zone with its offset, e.g. `20/01/2026 10:42 (UTC-6)`.

    `moment` is any timezone-aware datetime, or None when the node's clock cannot be believed.
    """
    if moment is None:
        return _("por confirmar")
    if moment.tzinfo is None:
        raise ValueError("a moment on a paper needs its time zone")
    local = moment.astimezone(ZoneInfo(settings.text("city.timezone")))
    offset = local.utcoffset()
    assert offset is not None
    return f"{date_text(local.date(), _)} {local:%H:%M} ({_offset_text(offset)})"


def _offset_text(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")


def identity(
    settings: Settings, _: Gettext, *, folio: str, moment_label: str, moment: datetime | None
) -> list[Line]:
    """Folio, moment and kiosk: what a clerk needs to find the matter."""
    lines: list[Line] = [Pair(_("Folio"), folio, bold=True)] if folio else []
    return [
        *lines,
        Pair(moment_label, moment_text(moment, settings, _)),
        Pair(_("Kiosco"), kiosk_text(settings)),
    ]


def kiosk_text(settings: Settings) -> str:
    """Node number and site, e.g. `007 Parque Independencia`."""
    return f"{settings.number('node.number'):03d} {settings.text('node.site')}"


def clave_text(settings: Settings, clave: str) -> str:
    """A clave in the city's groups, whether it came as digits or already grouped."""
    digits = clave.replace("-", "").replace(" ", "")
    return format_clave(digits, settings.text("city.clave_mask"))


def help_line(settings: Settings, _: Gettext) -> Text:
    phone = settings.text("city.help_phone")
    return Text(_("Ayuda: {phone}").format(phone=phone), Align.CENTER, size=Size.SMALL)


def small(text: str) -> Text:
    """Centred small print."""
    return Text(text, Align.CENTER, size=Size.SMALL)


def qr_block(content: str, caption: str) -> list[Line]:
    """A QR with the sentence that says what it is for."""
    return [Rule(), Qr(content), small(caption)]


def ending(settings: Settings, _: Gettext, *notes: str) -> list[Line]:
    return [*(small(note) for note in notes), help_line(settings, _), Cut()]


def verification_url(settings: Settings, receipt_code: str) -> str:
    """Public address that says whether a receipt is genuine; goes into its QR."""
    base = settings.text("central.verify_url") or settings.text("central.url")
    return f"{base.rstrip('/')}/r/{receipt_code}"


def follow_url(settings: Settings, folio: str) -> str:
    """Address of this site's portal that tells the state of a folio; goes into its QR."""
    return f"{settings.text('portal.public_url').rstrip('/')}/es/folio?folio={folio}"


def cadena_de_seguridad(receipt_code: str) -> str:
    """Short text that anybody holding the signed receipt code can recompute, `ABCD-EFGH-...`.

    The first 100 bits of the code's SHA-256 in base 32 (RFC 4648), in five groups of four.
    """
    text = base64.b32encode(hashlib.sha256(receipt_code.encode()).digest()).decode()[:20]
    return "-".join(text[i : i + 4] for i in range(0, 20, 4))
