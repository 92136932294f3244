"""What doctor says of a node's updates: `update_findings` over a frozen look; `look_at_updates` reads it."""

from __future__ import annotations

from dataclasses import dataclass

from plaza.doctor.finding import N_, Area, Finding, notice, ok, trouble
from plaza.image import ImageInfo
from plaza.updates.journal import FOLDER, FileJournal
from plaza.updates.state import State
from sync.datadir import DataDir


@dataclass(frozen=True, slots=True)
class UpdatesSeen:
    """`version` is that of the update under way, `returned` those that did not serve here."""

    has_slots: bool
    state: State = State.IDLE
    version: str = ""
    returned: tuple[str, ...] = ()


def look_at_updates(data: DataDir, image: ImageInfo | None) -> UpdatesSeen:
    if image is None:
        return UpdatesSeen(has_slots=False)
    journal = FileJournal(data.path / FOLDER).read()
    newer = tuple(sorted(v for v in journal.returned if v != image.version))
    return UpdatesSeen(True, journal.state, journal.version, newer)


def update_findings(seen: UpdatesSeen) -> tuple[Finding, ...]:
    """Nothing for a host without slots, which is updated with `install.sh`."""
    if not seen.has_slots:
        return ()
    found = [_under_way(seen)]
    if seen.returned:
        found.append(
            notice(
                Area.UPDATES,
                N_("La versión {version} se probó aquí y no sirvió; corre la de antes."),
                N_("Avise a la ciudad, que ya tiene el hecho; el nodo no la vuelve a tomar solo."),
                version=seen.returned[-1],
            )
        )
    return tuple(found)


def _under_way(seen: UpdatesSeen) -> Finding:
    area, version = Area.UPDATES, seen.version
    match seen.state:
        case State.IDLE | State.GOOD | State.RETURNED:
            return ok(area, N_("No hay ninguna actualización pendiente."))
        case State.AVAILABLE | State.DOWNLOADING:
            return ok(area, N_("Se está bajando la versión {version}."), version=version)
        case State.READY:
            return ok(
                area, N_("La versión {version} espera la hora de instalarse."), version=version
            )
        case State.INSTALLING | State.INSTALLED:
            return notice(
                area,
                N_("La versión {version} se está instalando."),
                N_("No apague el nodo si no hace falta; se reinicia solo."),
                version=version,
            )
        case State.TRIAL:
            return notice(
                area,
                N_("La versión {version} está a prueba."),
                N_("Espere unos minutos: se queda si todo funciona, y si no vuelve la de antes."),
                version=version,
            )
        case State.LEAVING:
            return trouble(
                area,
                N_("La versión {version} no sirvió y la de antes todavía no arranca."),
                N_("Reinicie el nodo; si sigue igual, ponga la tarjeta de repuesto."),
                version=version,
            )
