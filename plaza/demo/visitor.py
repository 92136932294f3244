"""A visitor's phone without a screen: fetches the portal's pages and sends its forms, nothing else.

It is what a sign-in sheet without JavaScript and cookies does, so the tour walks the same road.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2


@dataclass(slots=True)
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Page:
    url: str
    status: int
    text: str
    forms: list[Form]


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(a.get("action", ""), a.get("method", "get").lower()))
        elif not self.forms:
            return
        elif tag in {"input", "textarea", "button"} and a.get("name"):
            if a.get("type") not in {"checkbox", "radio"} or "checked" in a:
                self.forms[-1].fields[a["name"]] = a.get("value", "")
            else:
                self.forms[-1].choices.setdefault(a["name"], []).append(a.get("value", "on"))
        elif tag == "select":
            self._select = a.get("name", "")
            self.forms[-1].choices[self._select] = []
        elif tag == "option" and self._select and a.get("value"):
            self.forms[-1].choices[self._select].append(a["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""


class Visitor:
    """One phone. `get` opens a page; `send` submits one of its forms with some fields changed."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx2.Client(base_url=base_url, follow_redirects=True, timeout=10)

    def get(self, path: str) -> Page:
        return self._page(self._client.get(path))

    def send(self, page: Page, action_part: str, **values: str) -> Page:
        """Submit the form whose action contains `action_part`. Raises LookupError without one."""
        form = next((f for f in page.forms if action_part in f.action), None)
        if form is None:
            raise LookupError(f"{page.url} has no form for {action_part}")
        target = urljoin(page.url, form.action)
        return self._page(self._client.post(target, data={**form.fields, **values}))

    def close(self) -> None:
        self._client.close()

    def _page(self, reply: httpx2.Response) -> Page:
        reader = _FormReader()
        reader.feed(reply.text)
        return Page(str(reply.url), reply.status_code, reply.text, reader.forms)
