"""`plaza energy`: what a node on the sun spends, why, and whether it may ever switch itself off."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import click

from municipio.energy import Band, EnergyNote, Supply, Wake, is_fresh
from municipio.settings import Settings, SettingsError
from plaza.energy import LINES
from plaza.energy_files import PROOF_NAME, keep_proof, read_proof
from plaza.energy_plan import SHORT_HOURS, TABLE, Arm, Halt, Radio
from plaza.energy_wake import BRINGS_BACK, Proof, Refusal, halting, is_proven, may_halt
from plaza.options import data_option, json_option
from sync.clock import SystemClock, quality_with
from sync.datadir import DataDir
from sync.energy_note import FileBand, read_energy

TEST_ALARM_S = 120
BAND_WORDS = {
    Band.FULL: "plena",
    Band.SAVE: "ahorro",
    Band.RESERVE: "reserva",
    Band.GUARD: "guardia",
}
WHY_WORDS = {
    "charge": "por la carga de la batería",
    "silent": "porque el controlador no dice nada",
    "last_voltage": "porque el voltaje avisa que el controlador va a cortar",
    "failing": "porque la batería se desploma con carga",
    "held": "el controlador calló y antes había poca energía",
    "start": "recién encendido, sin lectura todavía",
}
REFUSAL_WORDS = {
    Refusal.NO_PATH: "no se apaga: nada lo encendería otra vez (energy.wake)",
    Refusal.NEEDS_THE_CUT: "no se apaga: si el sol vuelve antes del corte, nadie lo encendería; "
    "descansa hasta el corte o hasta que haya sol",
    Refusal.NOT_PROVEN: "no se apaga todavía: falta comprobar el despertar con `plaza energy wake-test`",
    Refusal.BY_DAY: "no se apaga de día: espera al sol despierto",
    Refusal.NOT_ARMED: "no se apaga: la alarma del reloj no quedó puesta",
}
RADIO_WORDS = {
    Radio.ALWAYS: "siempre",
    Radio.HOURS: "en su horario",
    Radio.SHORT: "horario corto",
    Radio.OFF: "apagado",
}


@click.group()
def energy() -> None:
    """Sun and battery: bands, what each may spend, and how the node wakes."""


@energy.command()
@data_option
@click.option(
    "--switches",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write each action to this file in place of doing it: for a simulated node.",
)
@click.option("--pace", type=float, default=1.0, help="With --switches: how fast time is counted.")
def run(data: Path, switches: Path | None, pace: float) -> None:
    """Keep the battery: choose the band, switch what it says, publish it. Ends at once on the grid."""
    from plaza.energy_simulator import JournalEdge
    from plaza.energy_wiring import NothingToDo, run_energy

    if pace != 1.0 and switches is None:
        _fail("--pace is only for a simulated node (--switches)")
    edge = None if switches is None else JournalEdge(switches)
    ended = run_energy(DataDir(data), edge, pace)
    if isinstance(ended, NothingToDo):
        click.echo(ended.why)
    elif ended is not None:
        _fail(ended.detail)


@energy.command()
@data_option
@json_option
def status(data: Path, as_json: bool) -> None:
    """The band in force, why, and what the node would do in guard. Exit 1 in guard."""
    here = DataDir(data)
    settings = _settings(here)
    clock = SystemClock(here.link_file, quality_with(settings.flag("node.rtc")))
    note = read_energy(here.energy_file)
    band = FileBand(here, settings, clock)()
    fresh = note is not None and is_fresh(note, clock.now())
    proof = read_proof(here.path / PROOF_NAME)
    document = _status(settings, band, note if fresh else None, proof)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        click.echo("\n".join(_status_lines(settings, band, note if fresh else None, proof)))
    sys.exit(1 if band is Band.GUARD else 0)


@energy.command()
@click.option("--days", type=click.IntRange(3, 366), default=30, show_default=True)
@click.option("--weather", type=click.Choice(["sunny", "rainy", "mixed"]), default="mixed")
@click.option("--battery", type=click.Choice(["good", "failing"]), default="good")
@click.option(
    "--wake", type=click.Choice([w.value for w in Wake]), default=Wake.CONTROLLER_VOLTAGE.value
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--site",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Panel, battery, loads.",
)
@click.option("--chart", type=click.Path(path_type=Path, dir_okay=False), help="Draw an SVG here.")
@click.option("--verbose", is_flag=True, help="Every change of band and every cut.")
@json_option
def simulate(
    days: int,
    weather: str,
    battery: str,
    wake: str,
    seed: int,
    site: Path | None,
    chart: Path | None,
    verbose: bool,
    as_json: bool,
) -> None:
    """A month under this sky with the node's own policy and ledger. Exit 1 when a promise is broken."""
    from plaza.energy_show import MonthAsked, MonthFailed, show_month

    try:
        shown = show_month(
            MonthAsked(days, weather, battery == "failing", Wake(wake), seed, site, chart)
        )
    except (ValueError, OSError, MonthFailed) as trouble:
        _fail(str(trouble))
    if as_json:
        click.echo(json.dumps(shown.document, ensure_ascii=False))
    else:
        click.echo("\n".join((*(shown.story if verbose else ()), *shown.lines)))
    sys.exit(0 if shown.held else 1)


@energy.command()
@json_option
def plan(as_json: bool) -> None:
    """The table: what each band may spend."""
    if as_json:
        rows = {b.value: {"from_percent": least, **_row(b)} for b, least in LINES}
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    click.echo("\n".join(plan_lines()))


@energy.command("wake-test")
@data_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def wake_test(data: Path, yes: bool) -> None:
    """Halt now, with the technician here, to prove that the node comes back by itself.

    Until a node has come back once, guard never halts it.
    """
    from plaza.energy_wiring import edge_of

    here = DataDir(data)
    settings = _settings(here)
    wake = Wake(settings.text("energy.wake"))
    if settings.text("energy.kind") == Supply.GRID or wake not in BRINGS_BACK:
        _fail(
            "solo con energy.kind = solar y un despertar por tiempo (energy.wake): no se apaga nada"
        )
    told = {
        Wake.RTC_ALARM: f"la placa debe encender sola en {TEST_ALARM_S // 60} minutos",
        Wake.CONTROLLER_TIMER: "debe encender cuando el temporizador del controlador corte y devuelva",
        Wake.EXTERNAL_TIMER: "debe encender cuando el temporizador corte y devuelva la corriente",
    }
    click.echo(
        f"El nodo se apaga ahora; {told[wake]}. No toque nada: si lo enciende usted, no prueba."
    )
    if not yes:
        click.confirm("¿Apagar?", abort=True)
    edge = edge_of(here, settings)
    trouble = edge.do(Arm(TEST_ALARM_S)) if wake is Wake.RTC_ALARM else ""
    if not trouble:
        clock = SystemClock(here.link_file)
        file = here.path / PROOF_NAME
        trouble = keep_proof(file, halting(read_proof(file), wake, clock.now().boot))
    trouble = trouble or edge.do(Halt())
    if trouble:
        _fail(f"no se apagó: {trouble}")


def plan_lines() -> list[str]:
    """The table in Markdown, as the reference shows it."""
    lines = [
        "| banda | desde | pantalla | kiosco | cobros | papel | portal | Wi-Fi | saludos | contenido | USB |",
        "|--|--|--|--|--|--|--|--|--|--|--|",
    ]
    for band, least in LINES:
        row = TABLE[band]
        beat = f"cada {row.heartbeat_factor}×" if row.heartbeat_factor else "no"
        lines.append(
            f"| {BAND_WORDS[band]} (`{band.value}`) | {least} % | {row.screen_percent} % |"
            f" {_yes(row.kiosk)} | {_yes(row.payments)} | {_yes(row.printing)} | {_yes(row.portal)} |"
            f" {RADIO_WORDS[row.radio]} | {beat} | {_yes(row.pull)} | {_yes(row.usb)} |"
        )
    lines += ["", f"Horario corto sin `energy.radio_hours`: {', '.join(SHORT_HOURS)}."]
    return lines


def _status(
    settings: Settings, band: Band, note: EnergyNote | None, proof: Proof
) -> dict[str, Any]:
    wake = Wake(settings.text("energy.wake"))
    refusal = may_halt(wake, proof)
    solar = settings.text("energy.kind") == Supply.SOLAR
    return {
        "kind": settings.text("energy.kind"),
        "band": band.value,
        "why": note.why if note else ("stale" if solar else ""),
        "phase": note.phase if note else "",
        "soc_percent": note.soc_percent if note else None,
        "battery_mv": note.battery_mv if note else None,
        "solar_w": note.solar_w if note else None,
        "load_w": note.load_w if note else None,
        "confidence": note.confidence if note else "unknown",
        "wake": wake.value,
        "wake_proven": is_proven(proof, wake),
        "halts": proof.halts,
        "returns": proof.returns,
        "may_halt": solar and refusal is None,
        "why_not": refusal.value if refusal and solar else "",
        "allowed": _row(band),
    }


def _status_lines(
    settings: Settings, band: Band, note: EnergyNote | None, proof: Proof
) -> list[str]:
    if settings.text("energy.kind") == Supply.GRID:
        return ["red eléctrica: banda plena, nada que cuidar"]
    why = WHY_WORDS.get(note.why, "") if note else "el programa de energía no responde"
    lines = [f"banda: {BAND_WORDS[band]} ({band.value}), {why}"]
    if note is not None and note.battery_mv is not None:
        soc = "?" if note.soc_percent is None else f"{note.soc_percent} %"
        figures = [f"batería {note.battery_mv / 1000:.2f} V, {soc}"]
        figures += [f"sol {note.solar_w} W"] if note.solar_w is not None else []
        figures += [f"consumo {note.load_w} W"] if note.load_w is not None else []
        lines.append(", ".join(figures))
    wake = Wake(settings.text("energy.wake"))
    refusal = may_halt(wake, proof)
    told = REFUSAL_WORDS[refusal] if refusal else "se apaga después de enviar lo que pueda"
    lines.append(f"en guardia: {told}")
    if wake is not Wake.NONE:
        back = f"volvió {proof.returns} de {proof.halts} veces"
        lines.append(f"despertar: {wake.value}, {back if proof.wake is wake else 'sin comprobar'}")
    return lines


def _row(band: Band) -> dict[str, object]:
    return {k: v.value if isinstance(v, Radio) else v for k, v in asdict(TABLE[band]).items()}


def _yes(value: bool) -> str:
    return "sí" if value else "no"


def _settings(data: DataDir) -> Settings:
    try:
        return data.settings()
    except SettingsError as problem:
        _fail(str(problem))


def _fail(problem: str) -> NoReturn:
    click.echo(problem, err=True)
    sys.exit(1)
