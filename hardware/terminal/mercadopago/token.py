"""The access token: one line in a file that only its owner can read. It is never shown."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path

from hardware.terminal.causes import TerminalCause

_TOKEN = re.compile(r"[A-Za-z0-9_\-]{16,512}")


class Token:
    """`reveal` is for the Authorization header alone; `repr` and `str` say nothing."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Token(***)"


@dataclass(frozen=True, slots=True)
class TokenProblem:
    cause: TerminalCause


def read_token(path: Path) -> Token | TokenProblem:
    """Refuses a file that its group or others can read (mode 0600 is right)."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            return TokenProblem(TerminalCause.TOKEN_EXPOSED)
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return TokenProblem(TerminalCause.TOKEN_MISSING)
    if not _TOKEN.fullmatch(text):
        return TokenProblem(TerminalCause.TOKEN_MISSING)
    return Token(text)
