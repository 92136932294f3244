"""Who of the staff is asking. No cookies: the token comes with each request and is never logged.

A form carries it in a hidden field and is believed only there: a page of somebody else cannot know it,
so it can press nothing. A token that came as a header makes no forms.
"""

from __future__ import annotations

import hmac

from flask import g, request

from central.context import central
from central.rights_audit import token_name

STARTED_WITH = "principal"
"""The name of the token that the program was started with."""


def staff_name() -> str:
    """The name of the token of this request, empty for a stranger; asked of the books once."""
    if "staff_name" not in g:
        g.staff_name = _staff_name()
    return str(g.staff_name)


def _staff_name() -> str:
    given = request.args.get("token", "")
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return _named(value.strip() if scheme.lower() == "bearer" else given)


def staff_name_of_form() -> str:
    """The same for a form that changes something."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        return ""
    return _named(request.form.get("token", ""))


def shown_token() -> str:
    """What links and forms of a page carry on; empty when the token came as a header."""
    return request.args.get("token", "") or request.form.get("token", "")


def _named(token: str) -> str:
    if not token:
        return ""
    expected = central().staff_token
    if expected and hmac.compare_digest(token.encode(), expected.encode()):
        return STARTED_WITH
    return token_name(central().store, central().city.inegi, token)
