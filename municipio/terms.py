"""Terms of use of the public Wi-Fi and the privacy notices, versioned by the hash of their exact text.

What a visitor accepted is proven by (version, language, sha256) in a terms.accepted fact; the text
itself never travels back. The notices have two layers, simplified and integral, and are given before
anything is collected (Ley General de Protección de Datos Personales en Posesión de Sujetos Obligados).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

LANGUAGES: tuple[str, ...] = ("es", "en")
"""Languages that every content version must carry."""

_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[0-9]{1,4})?")


@dataclass(frozen=True, slots=True)
class Terms:
    """One language of one version: plain texts, an empty line between paragraphs, `- ` for list items."""

    version: str
    language: str
    title: str
    body: str
    notice_simple: str
    notice_full: str
    sha256: str
    """Lower-case hex of `text_hash` over the four texts."""


def text_hash(title: str, body: str, notice_simple: str, notice_full: str) -> str:
    """SHA-256 of the UTF-8 bytes of the four texts, each followed by one line feed, in this order."""
    whole = "".join(f"{text}\n" for text in (title, body, notice_simple, notice_full))
    return hashlib.sha256(whole.encode()).hexdigest()


def make_terms(
    *, version: str, language: str, title: str, body: str, notice_simple: str, notice_full: str
) -> Terms:
    """Terms with their hash computed."""
    return Terms(
        version=version,
        language=language,
        title=title,
        body=body,
        notice_simple=notice_simple,
        notice_full=notice_full,
        sha256=text_hash(title, body, notice_simple, notice_full),
    )


def terms_flaw(terms: Terms) -> str | None:
    """Why these terms cannot be offered, as a short English reason; None when they can."""
    where = f"terms {terms.version} ({terms.language})"
    if not _VERSION.fullmatch(terms.version):
        return f"{where}: the version is not a date such as 2026-01-20"
    if not (terms.title and terms.body and terms.notice_simple and terms.notice_full):
        return f"{where}: a text is empty"
    actual = text_hash(terms.title, terms.body, terms.notice_simple, terms.notice_full)
    if actual != terms.sha256:
        return f"{where}: the text does not have the hash it claims"
    return None


def language_key(language: str) -> str:
    """`es_MX` or `es-MX` to `es`: terms are kept by language, not by country."""
    return re.split(r"[-_]", language.strip().lower(), maxsplit=1)[0]
