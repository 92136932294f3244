"""What is judged of the machine: devices, its own body, services, network, radio, card, clock. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from hardware.health.state import Finding as HealthItem
from hardware.health.state import Item, ItemState
from municipio.clock import TimeQuality
from municipio.device_words import technician_words
from municipio.devices import DeviceState
from municipio.part_names import DEVICE_NAMES, HEALTH_NAMES
from plaza.doctor.finding import N_, Area, Finding, Said, State, notice, ok, trouble, unknown
from plaza.doctor.snapshot import DeviceSeen, ServiceSeen, Snapshot

MANY_RESTARTS = 3

_ON_DISK = {
    Item.STORAGE_ERRORS, Item.STORAGE_WEAR, Item.STORAGE_TEST, Item.SPACE, Item.INODES,
}  # fmt: skip

SERVICES = {
    "sync": N_("el envío a la ciudad"), "portal": N_("el portal"), "gate": N_("la puerta"),
    "kiosk": N_("el kiosco"), "names": N_("los nombres y direcciones"),
    "filter": N_("el filtro de nombres"), "wifi": N_("la red en el aire"),
    "energy": N_("la energía"), "firewall": N_("el cortafuegos"),
    "firewall-open": N_("las entradas del cortafuegos"),
}  # fmt: skip

_ITEM_STATES = {
    ItemState.FAULT: State.TROUBLE,
    ItemState.ATTENTION: State.NOTICE,
    ItemState.UNKNOWN: State.UNKNOWN,
}
_DEVICE_STATES = {
    DeviceState.ATTENTION: State.NOTICE,
    DeviceState.FAULT: State.TROUBLE,
    DeviceState.ABSENT: State.TROUBLE,
    DeviceState.UNKNOWN: State.UNKNOWN,
    DeviceState.STARTING: State.UNKNOWN,
}


def check_hardware(seen: Snapshot) -> Iterator[Finding]:
    """Devices by the words of their own causes; the board by the limits of `hardware.health.judge`."""
    for device in seen.devices:
        yield _device(device)
    for item in seen.health:
        if item.item is not Item.CLOCK:  # judged with the battery clock below
            yield _item(item)


def _device(device: DeviceSeen) -> Finding:
    label = Said(DEVICE_NAMES.get(device.name, device.name))
    state = _DEVICE_STATES.get(DeviceState(device.state))
    if state is None:
        return ok(Area.HARDWARE, N_("{device}: funciona"), device=label)
    told = N_("No contesta: revise el cable, la corriente y su ajuste")
    what = N_("{device} necesita atención")
    if state is not State.NOTICE:
        what = N_("{device}: no funciona o no se sabe")
    to_do = technician_words(device.name, device.cause) or told if device.cause else told
    return Finding(Area.HARDWARE, state, what, to_do, {"device": label})


def _area_of(item: Item) -> Area:
    if item is Item.CLOCK:
        return Area.CLOCK
    return Area.DISK if item in _ON_DISK else Area.HARDWARE


def _item(item: HealthItem) -> Finding:
    area, label = _area_of(item.item), HEALTH_NAMES[item.item.value]
    if item.state is ItemState.OK or item.cause is None:
        if item.value is None:
            return ok(area, N_("{item}: bien"), item=Said(label))
        figure = f"{item.value} {item.unit}".strip()
        return ok(area, N_("{item}: {figure}"), item=Said(label), figure=figure)
    figure = "" if item.value is None else f" ({item.value} {item.unit})".replace(" )", ")")
    what, to_do = (
        N_("{item} fuera de lo normal{figure}"),
        technician_words("health", item.cause.value),
    )
    values = {"item": Said(label), "figure": figure}
    return Finding(area, _ITEM_STATES[item.state], what, to_do, values)


def check_services(seen: Snapshot) -> Iterator[Finding]:
    if seen.services is None:
        yield unknown(
            Area.SERVICES,
            N_("No se puede preguntar a systemd por los servicios"),
            N_("En un nodo instalado, corra la orden como root: sudo plaza doctor"),
        )
        return
    faults = [f for service in seen.services for f in _service(service)]
    yield from faults
    if not faults:
        running = sum(s.active == "active" for s in seen.services)
        yield ok(Area.SERVICES, N_("{n} servicios en marcha"), n=running)


def _service(service: ServiceSeen) -> Iterator[Finding]:
    name = Said(SERVICES.get(service.name, service.name))
    unit = f"plaza-{service.name}"
    if service.active == "failed" or service.sub == "auto-restart":
        yield trouble(
            Area.SERVICES,
            N_("No arranca: {service} ({result})"),
            N_("Vea la causa: journalctl -u {unit} -n 50. Luego: systemctl restart {unit}"),
            service=name, unit=unit, result=service.result,
        )  # fmt: skip
    elif service.active == "activating":
        yield notice(
            Area.SERVICES,
            N_("Está arrancando: {service}"),
            N_("Espere dos minutos y repita la revisión"),
            service=name,
        )
    elif service.active != "active" and service.wanted:
        yield trouble(
            Area.SERVICES,
            N_("Detenido: {service}"),
            N_("Arránquelo: systemctl start {unit}"),
            service=name, unit=unit,
        )  # fmt: skip
    elif service.restarts >= MANY_RESTARTS:
        yield notice(
            Area.SERVICES,
            N_("Se volvió a iniciar {n} veces desde el arranque: {service}"),
            N_("Haga un paquete de ayuda y envíelo: plaza support-bundle"),
            service=name, n=service.restarts,
        )  # fmt: skip


def check_network(seen: Snapshot) -> Iterator[Finding]:
    network = seen.network
    if not network.exists:
        yield trouble(
            Area.NETWORK,
            N_("No existe la interfaz de salida {name}"),
            N_("Revise el adaptador o módem, y portal.uplink o [network] uplink del sitio"),
            name=network.uplink,
        )
    elif not network.carrier:
        yield trouble(
            Area.NETWORK,
            N_("La salida {name} no tiene enlace"),
            N_("Revise el cable, el módem o la señal; el nodo sigue atendiendo sin Internet"),
            name=network.uplink,
        )
    elif not network.has_route:
        yield trouble(
            Area.NETWORK,
            N_("La salida {name} tiene enlace y ninguna ruta a Internet"),
            N_(
                "El router no dio dirección: revise DHCP o la dirección fija, y el saldo de la línea"
            ),
            name=network.uplink,
        )
    else:
        yield ok(Area.NETWORK, N_("Salida por {name}"), name=network.uplink)
    if seen.has_portal and not network.guest_up:
        yield trouble(
            Area.NETWORK,
            N_("El lado de los visitantes, {name}, no está en marcha"),
            N_("Revise la red en el aire: systemctl status plaza-wifi"),
            name=network.guest,
        )


def check_radio(seen: Snapshot) -> Iterator[Finding]:
    radio = seen.radio
    if not seen.has_portal or not radio.interface:
        return
    if not radio.exists:
        yield trouble(
            Area.RADIO,
            N_("No existe el radio {name}"),
            N_("Revise el adaptador Wi-Fi y [wifi] interface del archivo del sitio"),
            name=radio.interface,
        )
        return
    if radio.on_air is None:
        yield unknown(
            Area.RADIO,
            N_("No se pudo preguntar al radio {name}"),
            N_("Pruebe: plaza wifi status"),
            name=radio.interface,
        )
    elif not radio.on_air:
        yield trouble(
            Area.RADIO,
            N_("El radio {name} no está en el aire"),
            N_("Vea la causa: plaza wifi status, y journalctl -u plaza-wifi -n 50"),
            name=radio.interface,
        )
    else:
        yield ok(Area.RADIO, N_("En el aire, {n} dispositivos"), n=radio.devices or 0)
    if radio.on_air and radio.country != "MX":
        yield trouble(
            Area.RADIO,
            N_("El radio no está en el país MX sino en «{country}»"),
            N_(
                "Instale wireless-regdb y arranque otra vez: los canales de otro país no son legales"
            ),
            country=radio.country or "?",
        )


def check_disk(seen: Snapshot) -> Iterator[Finding]:
    """Space, wear and the card's own test come with the health items."""
    disk = seen.disk
    if disk.data_read_only:
        yield trouble(
            Area.DISK,
            N_("La partición de datos está en solo lectura: no se guarda nada"),
            N_("La memoria falla. Apague, cambie la tarjeta y rescate los datos de la vieja"),
        )
    if not disk.data_is_mounted:
        yield trouble(
            Area.DISK,
            N_("La partición de datos no está montada donde se espera"),
            N_("Revise la tarjeta y node.data_mount; sin ella los programas no arrancan"),
        )
    if seen.versions.image is not None and disk.root_read_only is False:
        yield trouble(
            Area.DISK,
            N_("El sistema se puede escribir: en esta imagen debe ser de solo lectura"),
            N_("Alguien lo cambió. Reinicie; si sigue, vuelva a preparar la tarjeta"),
        )
    if disk.kernel_errors is None:
        yield unknown(
            Area.DISK,
            N_("No se pudo leer el registro del kernel"),
            N_("Corra la revisión como root: sudo plaza doctor"),
        )
    elif disk.kernel_errors:
        yield trouble(
            Area.DISK,
            N_("Errores de la tarjeta de memoria desde el arranque: {n}"),
            N_("Cambie pronto la tarjeta. Cuáles son: journalctl -k -g mmc"),
            n=disk.kernel_errors,
        )


def check_clock(seen: Snapshot) -> Iterator[Finding]:
    clock = seen.clock
    if clock.quality in (TimeQuality.SYNCED, TimeQuality.RTC):
        by = (
            N_("por la red") if clock.quality is TimeQuality.SYNCED else N_("por el reloj con pila")
        )
        yield ok(Area.CLOCK, N_("Hora segura {by}"), by=Said(by))
    else:
        yield notice(
            Area.CLOCK,
            N_("La hora no es segura: no se cobra en efectivo ni se abre el corte de caja"),
            N_("Llega sola con la red. Sin red, ponga un reloj con pila y node.rtc"),
        )
    if clock.is_solar and not clock.says_rtc:
        yield trouble(
            Area.CLOCK,
            N_("Sitio solar sin reloj con pila: después de cada corte no sabe la hora"),
            N_("Ponga un reloj con pila (RTC) y declárelo en node.rtc"),
        )
    if clock.says_rtc and not clock.has_rtc_device:
        yield trouble(
            Area.CLOCK,
            N_("Se declaró un reloj con pila y la placa no lo muestra"),
            N_("Revise el módulo y su conexión; si no hay, quite node.rtc"),
        )
