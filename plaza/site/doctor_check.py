"""What the doctor says of the site's file. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from municipio.site_file.state import SiteStanding
from plaza.doctor.finding import N_, Area, Finding, ok, trouble
from plaza.doctor.snapshot import Snapshot

MOST_SHOWN = 3


def check_site_file(seen: Snapshot) -> Iterator[Finding]:
    """Nothing on a host that no plaza.toml made."""
    site = seen.site
    if site is None:
        return
    detail = " ".join(site.faults[:MOST_SHOWN])
    mend = N_("Apague, corrija plaza.toml en una computadora y encienda; plaza-error.txt dice todo")
    match site.standing:
        case SiteStanding.GOOD:
            yield ok(Area.SITE, N_("El nodo es lo que dice su plaza.toml"))
        case SiteStanding.KEPT:
            what = N_("plaza.toml no se puede usar y sigue el anterior: {detail}")
            yield trouble(Area.SITE, what, mend, detail=detail)
        case SiteStanding.WAITING:
            what = N_("plaza.toml no se puede usar y el nodo no atiende: {detail}")
            yield trouble(Area.SITE, what, mend, detail=detail)
