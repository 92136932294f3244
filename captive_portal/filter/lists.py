"""Lines of block lists, one at a time: hosts, plain names, Adblock Plus, and RPZ zone files. No I/O.

Whatever the format says about sub-domains, a name of a list stands for itself and for everything below
it: a hosts file cannot say so and means it. A line that a DNS filter cannot obey as it was meant (a
path, an element of a page, a rule for some browsers) is refused with its reason, never widened.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from captive_portal.filter.names import NameProblem, parse_name

MAX_LINE = 4096


class Refusal(StrEnum):
    """Reasons that are about the line; those about a name are `NameProblem`."""

    BROWSER_RULE = "a rule for browsers, not for names"
    MODIFIER = "a rule for some pages only ($...)"
    PATH = "a part of a site, not a name"
    UNKNOWN_SHAPE = "not a line of a known format"
    LINE_TOO_LONG = "line too long"
    RPZ_TRIGGER = "RPZ trigger that is not a name"
    RPZ_ACTION = "RPZ action that does not block"
    ALLOWED = "under the municipal allow-list"


Reason = Refusal | NameProblem


class Entry(NamedTuple):
    """A name to block, or (`listed` False) a name that this list wants left alone."""

    name: str
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    reason: Reason
    text: str


Result = Entry | Refused
LineParser = Callable[[str], tuple[Result, ...]]

_OWN_NAMES = frozenset(
    {"localhost", "localhost.localdomain", "local", "broadcasthost", "localhost4", "localhost6",
     "ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix", "ip6-allnodes",
     "ip6-allrouters", "ip6-allhosts"}
)  # fmt: skip
_HOSTS_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:%\w+)?")
_PLAIN = re.compile(r"[a-z0-9][a-z0-9.-]*")
_COSMETIC = re.compile(r"#@?[#?$%]|\$\$|#@#")
_COMMENT = re.compile(r"(?:^|\s)#.*$")


def parse_line(line: str) -> tuple[Result, ...]:
    """A line of a hosts, plain or Adblock Plus list, recognised by its shape: lists mix them."""
    text = line.strip()
    if _PLAIN.fullmatch(text):
        # Most lines of most lists: nothing but a name, as it is kept.
        name = parse_name(text)
        return (Refused(name, text) if isinstance(name, NameProblem) else Entry(name),)
    if not text or text[0] in "#!;" or (text[0] == "[" and text[-1] == "]"):
        return ()
    if text.startswith(("||", "@@")):
        return (_adblock(text),)
    if text[0] in "/|~" or _COSMETIC.search(text):
        return (Refused(Refusal.BROWSER_RULE, text),)
    words = _COMMENT.sub("", text).split()
    if len(words) == 1:
        return (_listed(words[0], text),)
    if words and _HOSTS_ADDRESS.fullmatch(words[0]):
        names = [w for w in words[1:] if w.lower() not in _OWN_NAMES and w != words[0]]
        return tuple(_listed(w, text) for w in names)
    return (Refused(Refusal.UNKNOWN_SHAPE, text),)


def _listed(word: str, text: str, listed: bool = True) -> Result:
    bare = word[2:] if word.startswith("*.") else word.lstrip(".")
    name = parse_name(bare)
    return Refused(name, text) if isinstance(name, NameProblem) else Entry(name, listed)


def _adblock(text: str) -> Result:
    """`||name^`, `@@||name^`. `$important` changes nothing here; every other modifier narrows."""
    listed = not text.startswith("@@")
    rule, _, modifiers = text.removeprefix("@@").partition("$")
    if not rule.startswith("||"):
        return Refused(Refusal.BROWSER_RULE, text)
    if modifiers and modifiers.strip().lower() != "important":
        return Refused(Refusal.MODIFIER, text)
    body = rule[2:].removesuffix("|")
    if body.endswith("^"):
        body = body[:-1]
    if any(mark in body for mark in "/^:?=") or "*" in body.removeprefix("*."):
        return Refused(Refusal.PATH, text)
    return _listed(body, text, listed)


_RPZ_TYPES = frozenset({"A", "AAAA", "CNAME", "TXT", "MX", "SOA", "NS", "DNAME", "SRV", "HTTPS"})
_RPZ_WORD = re.compile(r'"[^"]*"?|[^\s;"]+|;')
_TRIGGERS = (".rpz-ip", ".rpz-client-ip", ".rpz-nsip", ".rpz-nsdname")
_NOT_BLOCKING = frozenset({"rpz-tcp-only."})
_MAX_ORIGIN = 255


class RpzReader:
    """A response policy zone, line by line: `$ORIGIN`, blank owners, and a SOA over several lines."""

    def __init__(self) -> None:
        self._origin = ""
        self._owner = ""
        self._depth = 0

    def __call__(self, line: str) -> tuple[Result, ...]:
        words = []
        for word in _RPZ_WORD.findall(line):
            if word.startswith(";"):
                break
            words.append(word)
        was_open = self._depth > 0
        bare = [w for w in words if not w.startswith('"')]
        self._depth = max(0, self._depth + sum(w.count("(") - w.count(")") for w in bare))
        if was_open or not words:
            return ()
        if words[0].startswith("$"):
            if words[0].upper() == "$ORIGIN" and len(words) > 1:
                self._origin = words[1].lower().strip(".")[:_MAX_ORIGIN]
            return ()
        if not line[:1].isspace():
            self._owner = words.pop(0).lower()
        return self._record(words, line.strip())

    def _record(self, words: list[str], text: str) -> tuple[Result, ...]:
        while words and (words[0].isdigit() or words[0].upper() == "IN"):
            words.pop(0)
        kind = words[0].upper() if words else ""
        if kind not in _RPZ_TYPES:
            return (Refused(Refusal.UNKNOWN_SHAPE, text),)
        if kind == "SOA" and self._owner.endswith(".") and not self._origin:
            self._origin = self._owner.strip(".")[:_MAX_ORIGIN]
        if kind in ("SOA", "NS") or self._owner == "@":
            return ()
        target = words[1].lower() if len(words) > 1 else ""
        owner = self._relative(self._owner)
        if owner.endswith(_TRIGGERS):
            return (Refused(Refusal.RPZ_TRIGGER, text),)
        if kind == "CNAME" and target in _NOT_BLOCKING:
            return (Refused(Refusal.RPZ_ACTION, text),)
        passes = kind == "CNAME" and target == "rpz-passthru."
        return (_listed(owner, text, listed=not passes),)

    def _relative(self, owner: str) -> str:
        """The trigger without the zone's own name: `bad.example.rpz.` in `rpz.` is `bad.example`."""
        bare = owner.rstrip(".")
        if owner.endswith(".") and self._origin:
            bare = bare.removesuffix("." + self._origin)
        return bare


_RPZ_HEAD = re.compile(
    r"^\s*\$(?:TTL|ORIGIN)\b|\s(?:IN\s+)?SOA\s|^\S+\s+(?:\d+\s+)?(?:IN\s+)?CNAME\s+(?:\.|\*\.|rpz-)",
    re.IGNORECASE | re.MULTILINE,
)


def choose_parser(head: str) -> LineParser:
    """The parser for a file that begins with `head` (some kilobytes)."""
    return RpzReader() if _RPZ_HEAD.search(head) else parse_line
