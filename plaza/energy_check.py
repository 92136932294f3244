"""What doctor says of a node's energy: `energy_findings` over a frozen look; `look_at_energy` reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from municipio.clock import Clock
from municipio.energy import Band, EnergyNote, Supply, Wake
from municipio.settings import Settings
from plaza.doctor.finding import N_, Area, Finding, notice, ok, trouble, unknown
from plaza.energy_edge import alarm_clock, port_folder
from plaza.energy_files import PROOF_NAME, read_proof
from plaza.energy_plan import hours_of
from plaza.energy_wake import BRINGS_BACK, Proof, is_proven
from sync.datadir import DataDir
from sync.energy_note import FileBand


@dataclass(frozen=True, slots=True)
class EnergySeen:
    """`note` None: the energy program says nothing now. `bad_hours`, `bad_port`: what cannot be read."""

    supply: Supply
    wake: Wake
    has_controller: bool
    note: EnergyNote | None
    proof: Proof
    has_alarm: bool
    bad_hours: str = ""
    bad_port: str = ""


def look_at_energy(
    data: DataDir, settings: Settings, clock: Clock, sys: Path = Path("/sys")
) -> EnergySeen:
    bad_hours = _bad_hours(settings)
    ports = settings.text("energy.usb_ports").split()
    return EnergySeen(
        supply=Supply(settings.text("energy.kind")),
        wake=Wake(settings.text("energy.wake")),
        has_controller=settings.text("power.kind") != "none" and bool(settings.text("power.port")),
        note=FileBand(data, settings, clock).fresh(),
        proof=read_proof(data.path / PROOF_NAME),
        has_alarm=alarm_clock(sys) is not None,
        bad_hours=bad_hours,
        bad_port=next((p for p in ports if not port_folder(p)), ""),
    )


def _bad_hours(settings: Settings) -> str:
    for name in ("energy.radio_hours", "energy.kiosk_hours"):
        try:
            hours_of(settings.text(name))
        except ValueError as problem:
            return f"{name}: {problem}"
    return ""


def energy_findings(seen: EnergySeen) -> tuple[Finding, ...]:
    """Nothing on the grid. A solar site without a declared wake path is refused, whatever else holds."""
    if seen.supply is Supply.GRID:
        return ()
    parts = (_wake(seen), _band(seen), *_settings_of(seen))
    return tuple(part for part in parts if part is not None)


def _wake(seen: EnergySeen) -> Finding:
    wake = seen.wake
    if wake is Wake.NONE:
        return trouble(
            Area.ENERGY,
            N_("Sitio solar sin manera declarada de encender solo"),
            N_(
                "Configure en el controlador la salida de carga con corte y regreso, o ponga un "
                "temporizador, y declárelo en energy.wake"
            ),
        )
    if wake is Wake.RTC_ALARM and not seen.has_alarm:
        return trouble(
            Area.ENERGY,
            N_("Se declaró la alarma del reloj y el sistema no ve un reloj que encienda la placa"),
            N_("Use la salida de carga del controlador o un temporizador, y cambie energy.wake"),
        )
    if wake in BRINGS_BACK and not is_proven(seen.proof, wake):
        return notice(
            Area.ENERGY,
            N_(
                "El despertar está declarado y nunca se ha visto: hasta entonces el nodo no se apaga"
            ),
            N_("Antes de irse, pruébelo: plaza energy wake-test"),
        )
    if wake in BRINGS_BACK:
        return ok(
            Area.ENERGY,
            N_("El nodo volvió solo {returns} de {halts} veces que se apagó"),
            returns=seen.proof.returns,
            halts=seen.proof.halts,
        )
    return ok(
        Area.ENERGY, N_("Con poca batería el nodo descansa hasta el corte; nunca se apaga antes")
    )


def _band(seen: EnergySeen) -> Finding:
    note = seen.note
    if not seen.has_controller:
        return notice(
            Area.ENERGY,
            N_("Sitio solar sin controlador conectado: el nodo ahorra siempre"),
            N_("Conecte el cable de datos del controlador e indique power.kind y power.port"),
        )
    if note is None:
        return unknown(
            Area.ENERGY,
            N_("El programa de energía no dice nada: el nodo ahorra"),
            N_("Revise plaza-energy: systemctl status plaza-energy"),
        )
    if note.soc_percent is None:
        return unknown(
            Area.ENERGY,
            N_("El controlador solar calla: el nodo ahorra"),
            N_("Revise su cable de datos, power.kind y power.port"),
        )
    if note.band is Band.GUARD:
        return trouble(
            Area.ENERGY,
            N_("Batería en guardia, {percent} %: no se atiende"),
            N_("Revise sombra y polvo en el panel, cables y edad de la batería"),
            percent=note.soc_percent,
        )
    if note.band is Band.RESERVE:
        return notice(
            Area.ENERGY,
            N_("Batería en reserva, {percent} %: no se cobra"),
            N_("Si no ha estado nublado, revise sombra y polvo en el panel"),
            percent=note.soc_percent,
        )
    return ok(Area.ENERGY, N_("Batería al {percent} %"), percent=note.soc_percent)


def _settings_of(seen: EnergySeen) -> tuple[Finding, ...]:
    found = []
    if seen.bad_hours:
        found.append(
            trouble(
                Area.ENERGY,
                N_("No se entienden las horas: {problem}"),
                N_("Escríbalas como «07:00-11:00; 16:00-21:00»"),
                problem=seen.bad_hours,
            )
        )
    if seen.bad_port:
        found.append(
            trouble(
                Area.ENERGY,
                N_("No se entiende el puerto «{port}» de energy.usb_ports"),
                N_("Escríbalo como «1-1-port2»"),
                port=seen.bad_port,
            )
        )
    return tuple(found)
