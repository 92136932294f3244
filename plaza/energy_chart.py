"""The chart of a simulated month as SVG: charge and bands, hours served, facts kept. Pure text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from hardware.power.sun import Weather
from municipio.energy import Band
from plaza.energy import LINES
from plaza.energy_month import DAY_MIN, Moment, Month, Power

WIDTH, HEIGHT = 1180, 760
LEFT, RIGHT = 70, 30
SOC_TOP, SOC_H = 136, 280
HOURS_TOP, HOURS_H = 488, 100
FACTS_TOP, FACTS_H = 634, 70
INK, FAINT, PAPER = "#10243A", "#5A6B7B", "#FBFAF6"
BAND_FILL = {
    Band.FULL: "#D9EFE1",
    Band.SAVE: "#FFF3CC",
    Band.RESERVE: "#FFDDB8",
    Band.GUARD: "#F6C6C0",
    None: "#C9CED4",
}
BAND_WORD = {
    Band.FULL: "plena",
    Band.SAVE: "ahorro",
    Band.RESERVE: "reserva (no cobra)",
    Band.GUARD: "guardia (descansa)",
    None: "sin corriente o apagado",
}
SKY_SIGN: dict[Weather, str] = {"clear": "☀", "cloudy": "☁", "storm": "☂"}
SKY_WORD: dict[Weather, str] = {"clear": "sol", "cloudy": "nublado", "storm": "temporal"}
KIOSK, RADIO, FACTS, SOC = "#0B4F8A", "#7FB2DE", "#2E7D5B", "#0B4F8A"
CUT, BACK = "#A3271B", "#1E6B45"


def chart(month: Month, title: str, subtitle: str, kept: int) -> str:
    """A whole SVG document."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="Atkinson Hyperlegible Next, DejaVu Sans, sans-serif" fill="{INK}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
        _text(LEFT, 38, title, 22, bold=True),
        _text(LEFT, 62, subtitle, 14, FAINT),
        *_legend(),
        *_charge(month),
        *_hours(month),
        *_facts(month, kept),
        *_days(month),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(month: Month, minute: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * minute / (month.days * DAY_MIN)


def _soc_y(percent: float) -> float:
    return SOC_TOP + SOC_H * (1 - percent / 100)


def _charge(month: Month) -> Iterator[str]:
    for first, last, band in _stretches(month.moments):
        left, right = _x(month, first), _x(month, last)
        yield (
            f'<rect x="{left:.1f}" y="{SOC_TOP}" width="{right - left:.1f}" height="{SOC_H}" '
            f'fill="{BAND_FILL[band]}"/>'
        )
    for _band, least in LINES[:-1]:
        y = _soc_y(least)
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{FAINT}" stroke-dasharray="3 5"/>'
        yield _text(LEFT - 8, y + 4, f"{least} %", 12, FAINT, anchor="end")
    yield _text(LEFT - 8, _soc_y(100) + 4, "100 %", 12, FAINT, anchor="end")
    yield _text(LEFT - 8, _soc_y(0) + 4, "0 %", 12, FAINT, anchor="end")
    points = " ".join(f"{_x(month, m.minute):.1f},{_soc_y(m.soc):.1f}" for m in month.moments)
    yield f'<polyline points="{points}" fill="none" stroke="{SOC}" stroke-width="2"/>'
    yield _text(LEFT, SOC_TOP - 14, "Carga de la batería y banda en vigor", 14, bold=True)
    for event in month.events:
        x = _x(month, event.minute)
        if event.what.startswith("guion"):
            yield f'<path d="M{x:.1f} {SOC_TOP}v{SOC_H}" stroke="{INK}" stroke-dasharray="2 3"/>'
            yield _text(x + 6, SOC_TOP + 16, "guion: amanece al 12 %", 12)
        elif "antes del corte" in event.what:
            yield f'<path d="M{x:.1f} {SOC_TOP}l-5 -9h10z" fill="{BACK}"/>'
        elif event.what.startswith("se corta"):
            yield f'<path d="M{x:.1f} {SOC_TOP + SOC_H}l-5 9h10z" fill="{CUT}"/>'


def _hours(month: Month) -> Iterator[str]:
    share = (
        f"{month.kiosk_h:.0f} de {month.open_h:.0f} h del kiosco, {month.radio_h:.0f} h de Wi-Fi"
    )
    yield _text(LEFT, HOURS_TOP - 12, f"Horas de servicio por día: {share}", 14, bold=True)
    yield from _axis(HOURS_TOP, HOURS_H, "24 h")
    for day in range(month.days):
        pairs = ((month.kiosk_by_day[day], KIOSK, 0.1), (month.radio_by_day[day], RADIO, 0.5))
        for hours, color, where in pairs:
            yield _bar(month, day + where, 0.38, HOURS_TOP, HOURS_H, hours / 24, color)


def _facts(month: Month, kept: int) -> Iterator[str]:
    head = f"Hechos por día: {month.facts} dichos a personas, {kept} en el registro al final"
    yield _text(LEFT, FACTS_TOP - 12, head, 14, bold=True)
    top = max(month.facts_by_day, default=0) or 1
    yield from _axis(FACTS_TOP, FACTS_H, str(top))
    for day, count in enumerate(month.facts_by_day):
        yield _bar(month, day + 0.1, 0.78, FACTS_TOP, FACTS_H, count / top, FACTS)


def _days(month: Month) -> Iterator[str]:
    for day, sky in enumerate(month.sky):
        x = _x(month, (day + 0.5) * DAY_MIN)
        yield (
            f'<g><title>{SKY_WORD[sky]}</title><text x="{x:.1f}" y="{SOC_TOP + SOC_H + 26}" '
            f'font-size="15" text-anchor="middle">{SKY_SIGN[sky]}</text></g>'
        )
        yield _text(x, FACTS_TOP + FACTS_H + 20, str(day + 1), 12, FAINT, anchor="middle")
    yield _text(LEFT - 8, FACTS_TOP + FACTS_H + 20, "día", 12, FAINT, anchor="end")


def _legend() -> Iterator[str]:
    x = LEFT
    for band, word in BAND_WORD.items():
        yield (
            f'<rect x="{x}" y="74" width="14" height="14" rx="3" fill="{BAND_FILL[band]}" '
            f'stroke="{FAINT}" stroke-width="0.5"/>'
        )
        yield _text(x + 20, 86, word, 12)
        x += 40 + 6 * len(word)
    for color, word in ((KIOSK, "kiosco"), (RADIO, "Wi-Fi")):
        yield f'<rect x="{x}" y="74" width="14" height="14" rx="3" fill="{color}"/>'
        yield _text(x + 20, 86, word, 12)
        x += 40 + 6 * len(word)
    yield f'<path d="M{x + 7} 76l-5 9h10z" fill="{CUT}"/>'
    yield _text(x + 20, 86, "corte", 12)
    yield f'<path d="M{x + 77} 86l-5 -9h10z" fill="{BACK}"/>'
    yield _text(x + 90, 86, "el sol volvió antes del corte", 12)


def _stretches(moments: Sequence[Moment]) -> Iterator[tuple[int, int, Band | None]]:
    """From minute, to minute, band: neighbours of one band joined."""
    start = 0
    for n in range(1, len(moments) + 1):
        if n == len(moments) or _band(moments[n]) is not _band(moments[start]):
            last = moments[min(n, len(moments) - 1)].minute
            yield moments[start].minute, last, _band(moments[start])
            start = n


def _band(moment: Moment) -> Band | None:
    return moment.band if moment.power is Power.ON else None


def _axis(top: int, height: int, label: str) -> Iterator[str]:
    yield f'<path d="M{LEFT} {top + height}H{WIDTH - RIGHT}" stroke="{FAINT}"/>'
    yield _text(LEFT - 8, top + 10, label, 12, FAINT, anchor="end")


def _bar(
    month: Month, day: float, width: float, top: int, height: int, share: float, color: str
) -> str:
    x, tall = _x(month, day * DAY_MIN), height * share
    wide = (WIDTH - LEFT - RIGHT) / month.days * width
    y = top + height - tall
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{color}"/>'


def _text(
    x: float, y: float, said: str, size: int, color: str = INK, *, bold: bool = False,
    anchor: str = "start",
) -> str:  # fmt: skip
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{color}" text-anchor="{anchor}"{weight}>'
        f"{escape(said)}</text>"
    )
