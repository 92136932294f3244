"""The acceptance sheet of this node, for the command line: text, HTML, or a paper for the printer."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from municipio.acceptance import AcceptanceStep, acceptance_steps, is_accepted
from municipio.papers.acceptance import hoja_de_aceptacion
from municipio.papers.common import moment_text
from municipio.receipts import Paper
from municipio.settings import Settings
from sync.acceptance import SightBook
from sync.clock import SystemClock, quality_with
from sync.datadir import DataDir
from sync.link import FileLink


def _same(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Sheet:
    settings: Settings
    steps: tuple[AcceptanceStep, ...]
    at: datetime | None
    version: str

    @property
    def is_accepted(self) -> bool:
        return is_accepted(self.steps)

    def paper(self) -> Paper:
        return hoja_de_aceptacion(
            self.settings, _same, steps=self.steps, printed_at=self.at, version=self.version
        )

    def lines(self) -> list[str]:
        head = f"{self.settings.node_code} {self.settings.text('node.site')}"
        rows = [
            f"[{'x' if s.is_done else ' '}] {s.label}: {s.text}{f' -> {s.to_do}' if s.to_do else ''}"
            for s in self.steps
        ]
        return [head, *rows, "Todo listo." if self.is_accepted else "Falta algo."]

    def page(self) -> str:
        """One HTML page without scripts, to be printed from any browser."""
        rows = "".join(
            f"<tr class={'si' if s.is_done else 'no'}><td>{'✔' if s.is_done else '☐'}<td>"
            f"<b>{html.escape(s.label)}</b><br>{html.escape(s.text)}"
            f"{f'<br><i>{html.escape(s.to_do)}</i>' if s.to_do else ''}"
            for s in self.steps
        )
        return _PAGE.format(
            city=html.escape(self.settings.text("city.name")),
            node=html.escape(self.settings.node_code),
            site=html.escape(self.settings.text("node.site")),
            at=html.escape(moment_text(self.at, self.settings, _same)),
            version=html.escape(self.version),
            verdict="Todo listo" if self.is_accepted else "Falta algo",
            rows=rows,
        )


_PAGE = """<!doctype html><html lang="es"><meta charset="utf-8">
<title>Hoja de aceptación {node}</title>
<style>body{{font:16px/1.4 sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse;width:100%}}td{{border-top:1px solid #999;padding:.5rem;vertical-align:top}}
td:first-child{{font-size:1.4rem;width:2rem}}.no b{{color:#8a2b0f}}
.firma{{display:inline-block;width:45%;border-top:1px solid;margin-top:4rem;margin-right:4%}}</style>
<h1>Hoja de aceptación</h1><p>{city}<br><b>{node}</b> · {site}<br>{at} · programa {version}</p>
<h2>{verdict}</h2><table>{rows}</table>
<p><span class="firma">Técnico</span><span class="firma">Recibe</span></p></html>
"""


def read_sheet(data: DataDir) -> Sheet:
    """From what the node notes. Raises SettingsError."""
    settings = data.settings()
    clock = SystemClock(data.link_file, quality_with(settings.flag("node.rtc")))
    link = FileLink(data.link_file, clock, settings.number("sync.heartbeat_s")).report()
    has_printer = settings.flag("printer.enabled") and settings.text("printer.port") != ""
    steps = acceptance_steps(SightBook(data).snapshot(link, has_printer=has_printer), _same)
    now = clock.now()
    return Sheet(settings, steps, now.time if now.is_trusted else None, program_version())


def program_version() -> str:
    try:
        return version("plaza")
    except PackageNotFoundError:
        return "0"
