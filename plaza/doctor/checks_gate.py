"""What is judged of the gate: whether it is whole, and who on the guest side hides others. Pure.

One counter of the gate says each thing; none of them is about one device.
"""

from __future__ import annotations

from collections.abc import Iterator

from captive_portal.gate.visits import GateTrouble
from plaza.doctor.finding import N_, Area, Finding, notice, trouble, unknown
from plaza.doctor.snapshot import Snapshot


def check_gate(seen: Snapshot) -> Iterator[Finding]:
    """Nothing where the gate is not the firewall's (`portal.gate`)."""
    gate = seen.gate
    if gate is None:
        return
    if isinstance(gate, GateTrouble):
        what = N_("La puerta no contesta: no se sabe quién pasa")
        yield unknown(Area.NETWORK, what, N_("Vea la causa: journalctl -u plaza-gate -n 50"))
        return
    if not gate.whole:
        what = N_("El cortafuegos de la puerta no está entero: nadie pasa")
        yield trouble(Area.NETWORK, what, N_("Revise la red de visitantes y vea: plaza gate stats"))
    hidden = max(gate.routers, gate.crowded)
    if hidden:
        what = N_("Equipos de la red de visitantes que esconden a otros detrás: {n}")
        mend = N_(
            "Ponga sus puntos de acceso en modo puente, sin NAT y sin proxy ARP: si no, todos sus "
            "visitantes son una sola visita. También puede ser un visitante que comparte"
        )
        yield notice(Area.NETWORK, what, mend, n=hidden)
    if 0 < gate.max_open <= gate.open:
        what = N_("La red está llena: {n} dispositivos conectados")
        yield notice(Area.NETWORK, what, N_("Si pasa seguido, agregue otro punto"), n=gate.open)
