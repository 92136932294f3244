"""`plaza energy simulate`: a month played, judged and drawn."""

from __future__ import annotations

import tempfile
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from municipio.energy import Wake
from plaza.energy_chart import chart
from plaza.energy_mind import Rules
from plaza.energy_month import DAY_MIN, OPEN_HOURS, Month, Setting, simulate
from plaza.energy_month_ledger import LedgerMemory, MonthFailed
from plaza.energy_promises import Promise, promises_of
from plaza.energy_site import Site, site_of
from plaza.energy_wake import BRINGS_BACK, Proof

__all__ = ["MonthAsked", "MonthFailed", "MonthShown", "show_month"]

WEATHER_WORDS = {"sunny": "mes de sol", "mixed": "mes variable", "rainy": "mes de lluvias"}


@dataclass(frozen=True, slots=True)
class MonthAsked:
    days: int
    weather: str
    failing: bool
    wake: Wake
    seed: int
    site: Path | None = None
    chart: Path | None = None


@dataclass(frozen=True, slots=True)
class MonthShown:
    """`story`: every event; `lines`: the summary, promises last."""

    held: bool
    story: tuple[str, ...]
    lines: tuple[str, ...]
    document: dict[str, Any]


def show_month(asked: MonthAsked) -> MonthShown:
    """ValueError or OSError for a site's file or a chart that cannot be; MonthFailed for the ledger."""
    site = Site() if asked.site is None else _site(asked.site)
    proof = Proof(asked.wake, 1, 1) if asked.wake in BRINGS_BACK else Proof()
    rules = Rules(asked.wake, OPEN_HOURS, proof=proof)
    setting = Setting(asked.days, asked.weather, asked.failing, asked.seed, site, rules)
    with tempfile.TemporaryDirectory(prefix="plaza-month-") as folder:
        memory = LedgerMemory(Path(folder), asked.seed)
        try:
            month = simulate(setting, memory)
            kept, trouble = memory.check()
        finally:
            memory.close()
    promises = promises_of(month, kept, trouble)
    if asked.chart is not None:
        asked.chart.write_text(_drawn(asked, site, month, kept), encoding="utf-8")
    return MonthShown(
        held=all(p.held for p in promises),
        story=tuple(_story(month)),
        lines=tuple(_lines(month, promises)),
        document=_document(asked, month, kept, promises),
    )


def _site(file: Path) -> Site:
    try:
        return site_of(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as trouble:
        raise ValueError(f"{file}: {trouble}") from trouble


def _drawn(asked: MonthAsked, site: Site, month: Month, kept: int) -> str:
    battery = "batería que falla" if asked.failing else "batería buena"
    title = f"Un nodo solar, {WEATHER_WORDS[asked.weather]}, {battery} (simulación)"
    wp, wh = site.panel_wp, site.battery_wh
    subtitle = (
        f"panel {wp:.0f} Wp, batería {wh:.0f} Wh, despertar {asked.wake}, semilla {asked.seed}"
    )
    return chart(month, title, subtitle, kept)


def _story(month: Month) -> list[str]:
    return [
        f"día {e.minute // DAY_MIN + 1:>2} {e.minute // 60 % 24:02d}:{e.minute % 60:02d}  {e.what}"
        for e in month.events
    ]


def _lines(month: Month, promises: tuple[Promise, ...]) -> list[str]:
    share = 100 * month.kiosk_h / month.open_h
    least = min(m.soc for m in month.moments)
    return [
        f"kiosco {month.kiosk_h:.0f} de {month.open_h:.0f} h ({share:.0f} %), Wi-Fi {month.radio_h:.0f} h",
        f"batería al mínimo {least} %, cortes {month.cuts} ({month.cuts_serving} trabajando),"
        f" apagados {month.halts}",
        *(f"{'ok' if p.held else 'NO'}  {p.said}: {p.figures}" for p in promises),
    ]


def _document(
    asked: MonthAsked, month: Month, kept: int, promises: tuple[Promise, ...]
) -> dict[str, Any]:
    return {
        "days": asked.days,
        "weather": asked.weather,
        "battery": "failing" if asked.failing else "good",
        "wake": asked.wake.value,
        "seed": asked.seed,
        "kiosk_h": round(month.kiosk_h, 1),
        "open_h": round(month.open_h, 1),
        "radio_h": round(month.radio_h, 1),
        "least_soc_percent": min(m.soc for m in month.moments),
        "cuts": month.cuts,
        "cuts_serving": month.cuts_serving,
        "halts": month.halts,
        "longest_halt_h": round(month.halted_h, 1),
        "longest_dark_in_sun_h": round(month.dark_h, 1),
        "returns_before_cut": month.returns_before_cut,
        "facts": month.facts,
        "facts_kept": kept,
        "promises": [asdict(p) for p in promises],
        "held": all(p.held for p in promises),
    }
