"""A folder with everything that the city holds about one folio, for the person who asked for it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from central.attachments import read_attachment
from central.moments_read import told_document
from central.rights import Held, Kept, NoFolio, find_held, narrow
from central.rights_audit import newest, note
from central.rights_facts import document
from central.store import Store
from municipio.facts import format_time

README = """\
Expediente del folio {folio}, hecho el {at}.

expediente.json   lo que dicen los libros de la ciudad: estado, pagos, quién lo vio y cuándo
                  (en `horas`, cuándo sucedió cada hecho según la ciudad, y con qué error)
hechos.ndjson     los hechos como llegaron del nodo, uno por línea, con sus bytes exactos
adjuntos/         archivos sellados (fotos)

Si dos tarjetas de un nodo dieron este folio, aquí está un solo asunto, y lo que los libros dicen del
folio no va, porque puede ser del otro.

Lo que la persona escribió libremente y las fotos están cifrados con la llave de la oficina que los
recibió. Esa oficina los abre con el programa age y su llave, y agrega lo abierto a esta carpeta:
  age --decrypt -i oficina.agekey ARCHIVO
"""


def export(
    store: Store, inegi: str, text: str, out: Path, *, who: str, at: datetime, of: str = ""
) -> Held | Kept | NoFolio:
    """Write the folder and write down that it was done; `of` as in `narrow`. Raises OSError."""
    whole = find_held(store, inegi, text)
    found = whole if isinstance(whole, NoFolio) else narrow(whole, of)
    if not isinstance(found, Held):
        return found
    folio = found.folio.text
    with store.begin() as connection:
        note(connection, inegi, who, "rights.exported", at, folio=folio, detail=out.name)
    out.mkdir(parents=True, mode=0o700)
    raws = [bytes(row.raw) for row in (*found.facts, *found.aside)]
    (out / "hechos.ndjson").write_bytes(b"".join(raw + b"\n" for raw in raws))
    seen = newest(store, inegi, folio)
    about = {
        "folio": folio,
        "asunto": _row(found.state),
        "reporte": _row(found.report),
        "pagos": [_row(row) for row in found.payments],
        "hechos": [document(raw) for raw in raws],
        "horas": [
            {"carril": lane, "epoca": epoch, "numero": seq, **told_document(told)}
            for (_, epoch, lane, seq), told in sorted(found.times.items())
        ],
        "cambios": [_row(row) for row in found.events],
        "adjuntos": [_row(row) for row in found.attachments],
        "accesos": [_row(row) for row in seen],
    }
    text_of = json.dumps(about, ensure_ascii=False, indent=2)
    (out / "expediente.json").write_text(text_of + "\n", encoding="utf-8")
    (out / "LEEME.txt").write_text(README.format(folio=folio, at=format_time(at)), encoding="utf-8")
    for row in found.attachments:
        sealed = read_attachment(store, inegi, row.sha256)
        if sealed is not None:
            (out / "adjuntos").mkdir(exist_ok=True)
            (out / "adjuntos" / f"{row.sha256}.age").write_bytes(sealed)
    return found


def _row(row: Row[Any] | None) -> dict[str, Any] | None:
    return None if row is None else {k: v for k, v in row._mapping.items() if k != "inegi"}
