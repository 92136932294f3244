"""What a build read, merged and refused, with reasons and samples: for the person who answers for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from captive_portal.filter.lists import Reason, Refused

SAMPLES = 3
SAMPLE_WIDTH = 80


@dataclass(slots=True)
class Refusals:
    counts: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, refused: Refused) -> None:
        self.add_text(refused.reason, refused.text)

    def add_text(self, reason: Reason, text: str) -> None:
        self.counts[reason.value] += 1
        kept = self.samples.setdefault(reason.value, [])
        if len(kept) < SAMPLES:
            # A list is somebody else's text: nothing of it may move the reader's cursor.
            shown = text[:SAMPLE_WIDTH]
            kept.append(
                "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
            )


@dataclass(slots=True)
class ListReport:
    name: str
    category: str
    lines: int = 0
    names: int = 0
    exceptions: int = 0
    sha256: str = ""
    refused: Refusals = field(default_factory=Refusals)


@dataclass(slots=True)
class BuildReport:
    """`merged` are names that say no more than their parent, or than another list about the same name."""

    lists: list[ListReport] = field(default_factory=list)
    allowed_names: int = 0
    read: int = 0
    merged: int = 0
    under_allow_list: Refusals = field(default_factory=Refusals)
    names: int = 0
    exceptions: int = 0
    categories: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    sha256: str = ""
    date: str = ""

    def document(self) -> dict[str, object]:
        """For machines."""
        return {
            "date": self.date, "bytes": self.bytes, "sha256": self.sha256,
            "read": self.read, "merged": self.merged, "names": self.names,
            "exceptions": self.exceptions, "allowed_names": self.allowed_names,
            "refused": sum(self._refusals().counts.values()),
            "categories": dict(sorted(self.categories.items())),
            "values": dict(sorted(self.values.items())),
            "under_allow_list": dict(self.under_allow_list.counts),
            "lists": [
                {
                    "name": r.name, "category": r.category, "lines": r.lines, "names": r.names,
                    "exceptions": r.exceptions, "sha256": r.sha256,
                    "refused": dict(sorted(r.refused.counts.items())),
                    "samples": r.refused.samples,
                }
                for r in self.lists
            ],
        }  # fmt: skip

    def text(self) -> str:
        """For people."""
        lines = []
        for r in self.lists:
            lines.append(f"{r.name} ({r.category}): {r.lines:,} lines, {r.names:,} names")
            if r.exceptions:
                lines[-1] += f", {r.exceptions:,} exceptions"
            lines += _refusal_lines(r.refused)
        total = sum(self._refusals().counts.values())
        lines.append(f"read {self.read:,}, merged {self.merged:,}, refused {total:,}")
        lines += _refusal_lines(self.under_allow_list)
        lines.append(f"municipal allow-list: {self.allowed_names:,} names that are never blocked")
        kinds = ", ".join(f"{c} {n:,}" for c, n in sorted(self.categories.items()))
        lines.append(f"written {self.names:,} names: {kinds or 'none'}")
        lines.append(f"{self.date}, {self.bytes:,} bytes, sha256 {self.sha256}")
        return "\n".join(lines)

    def _refusals(self) -> Refusals:
        whole = Refusals()
        for one in [*(r.refused for r in self.lists), self.under_allow_list]:
            whole.counts.update(one.counts)
        return whole


def _refusal_lines(refused: Refusals) -> list[str]:
    return [
        f"  refused {count:,}: {reason}; for example «{'», «'.join(refused.samples[reason])}»"
        for reason, count in sorted(refused.counts.items())
    ]
