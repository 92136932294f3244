"""Every setting of a node in one table: name, type, default, help. Nothing else is configurable.

A node's settings are one TOML file with a table per section (`[city]`, `[node]`, ...). An unknown key
is an error that names the nearest known one. Reading the file is the caller's work.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

SettingValue = str | int | bool
_T = TypeVar("_T", str, int, bool)


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    type: type[SettingValue]
    default: SettingValue
    help: str
    choices: tuple[str, ...] = ()
    span: tuple[int, int] | None = None
    """Least and greatest number, both allowed."""


def _s(name: str, default: SettingValue, help_: str, *choices: str) -> Setting:
    return Setting(name, type(default), default, help_, choices)


SETTINGS: tuple[Setting, ...] = (
    _s("city.name", "Ayuntamiento de Ejemplo", "Nombre que se ve en la pantalla y en los recibos."),
    _s("city.legal_name", "H. AYUNTAMIENTO DE EJEMPLO", "Nombre legal, arriba de cada recibo."),
    _s("city.code", "COA", "Tres letras de la ciudad dentro de cada folio."),
    _s("city.inegi", "30039", "Clave INEGI del municipio, cinco dígitos."),
    _s("city.rfc", "XAXX010101000", "RFC del municipio, en los recibos."),
    _s("city.treasury", "Tesorería Municipal", "Oficina que cobra, en los recibos."),
    _s("city.help_phone", "921 000 0000 (demostración)", "Teléfono de ayuda."),
    _s("city.timezone", "America/Mexico_City", "Zona horaria oficial (base de datos IANA)."),
    _s("city.primary_color", "#0B4F8A", "Color principal; se comprueba que el contraste sea 7:1."),
    _s("city.clave_mask", "2-3-3-2-3-3-2-3-1", "Grupos de dígitos de la clave catastral de 22."),
    _s(
        "city.receipt_kind",
        "comprobante_provisional",
        "Qué imprime un pago.",
        "recibo_oficial",
        "comprobante_provisional",
    ),
    _s("city.discount_law", "", "Artículo que sustenta el descuento, impreso si se indica."),
    _s(
        "city.registered_benefits_note",
        "",
        "Qué llevar a Tesorería para registrar un beneficio; vacío: la lista general.",
    ),
    Setting("node.number", int, 7, "Número del nodo en la ciudad, 1 a 999.", span=(1, 999)),
    _s("node.site", "Parque Independencia (demostración)", "Nombre del lugar."),
    _s("node.address", "", "Domicilio del lugar."),
    _s(
        "node.profile",
        "kiosk",
        "Qué es el nodo: kiosco y portal, solo portal, o pantalla de información.",
        "kiosk",
        "portal",
        "screen",
    ),
    _s("node.padron", True, "El nodo guarda el padrón. Falso donde no hay kiosco: solo portal."),
    _s("node.rtc", False, "El nodo tiene reloj con pila (RTC): su hora vale sin red."),
    _s(
        "node.data_mount",
        "",
        "Partición de los datos (su punto de montaje); si no está montada, el nodo no arranca. "
        "Vacía: no se comprueba.",
    ),
    _s("central.url", "http://127.0.0.1:8311", "Dirección de la API de la ciudad."),
    _s(
        "central.ca_file",
        "",
        "Certificado (PEM) de la autoridad que firmó el de la ciudad; vacía: las del sistema.",
    ),
    _s("central.verify_url", "", "Base pública para el QR de los recibos; vacía: la de la API."),
    _s("central.timeout_s", 8, "Segundos de espera por una respuesta de la ciudad."),
    _s("bank.bbva_enabled", True, "Imprimir la referencia de ventanilla en el pase de caja."),
    _s("bank.bbva_name", "BBVA", "Banco de la referencia de ventanilla."),
    _s("bank.bbva_agreement", "0000000 (demostración)", "Número de convenio con el banco."),
    _s("bank.bbva_base_year", 2014, "Año base de la fecha condensada, según el convenio."),
    _s("bank.bbva_constant", 2, "Constante después del importe condensado, según el convenio."),
    _s("bank.oxxo_enabled", True, "Imprimir la referencia y el código de barras de OXXO."),
    _s("bank.oxxo_prefix", "09", "Prefijo de dos dígitos asignado por la cadena."),
    _s("bank.clabe", "", "CLABE para transferencia; vacía: no se imprime."),
    _s("bank.reference_prefix", "039", "Primeros dígitos de la referencia de cobro de diez."),
    _s("kiosk.width", 1280, "Ancho de la pantalla en puntos."),
    _s("kiosk.height", 800, "Alto de la pantalla en puntos."),
    _s("kiosk.screen_dpi", 149, "Puntos por pulgada reales de la pantalla (10.1 pulgadas: 149)."),
    _s("kiosk.idle_warning_s", 45, "Segundos sin tocar hasta preguntar si sigue ahí."),
    _s("kiosk.idle_wipe_s", 20, "Segundos del aviso hasta borrar todo rastro de la persona."),
    _s("kiosk.lookups_per_session", 6, "Consultas de predial por persona."),
    _s("kiosk.lookups_per_day", 400, "Consultas de predial por día."),
    _s(
        "kiosk.touch_provider",
        "mouse",
        "Único proveedor de toques de Kivy.",
        "mouse",
        "hidinput",
        "mtdev",
    ),
    _s("printer.enabled", True, "Hay impresora de recibos."),
    _s(
        "printer.port",
        "",
        "Dónde está: /dev/serial/by-path/..., usb://vvvv:pppp o tcp://dirección:9100; vacío: no hay.",
    ),
    _s("printer.baud", 115200, "Velocidad del puerto."),
    _s(
        "printer.profile",
        "generic-80",
        "Modelo y ancho de papel de la impresora.",
        "generic-80",
        "generic-58",
        "tm-t20iii-80",
        "tm-t20iii-58",
        "tm-t88-80",
        "tm-t88-58",
        "star-escpos-80",
        "star-escpos-58",
        "srp-350-80",
        "srp-350-58",
        "pos-58",
    ),
    _s("terminal.enabled", True, "Hay terminal de tarjetas."),
    _s(
        "terminal.kind",
        "serial",
        "Cómo se habla con la terminal: por cable serie o por Mercado Pago Point.",
        "serial",
        "mercadopago",
    ),
    _s("terminal.port", "", "Puerto serie de la terminal; vacío: sin terminal."),
    _s("terminal.baud", 115200, "Velocidad del puerto."),
    _s("terminal.point_id", "", "Identificador de la terminal Point; vacío: sin terminal."),
    _s("terminal.api_url", "https://api.mercadopago.com", "Dirección de la API de cobro (https)."),
    _s(
        "terminal.token_file",
        "keys/mercadopago.token",
        "Archivo de la credencial, desde la carpeta de datos; permisos 0600.",
    ),
    _s("terminal.expires_s", 180, "Segundos hasta que vence un cobro sin tarjeta, 30 a 10800."),
    _s("terminal.wait_s", 120, "Segundos que se espera a la persona con la terminal."),
    _s("cash.enabled", False, "Se cobra en efectivo (bus ccTalk)."),
    _s("cash.port", "", "Puerto serie del bus de efectivo; vacío: sin efectivo."),
    _s("cash.baud", 9600, "Velocidad del bus."),
    _s("cash.coin_address", 2, "Dirección ccTalk del monedero; 0: no hay."),
    _s("cash.note_address", 40, "Dirección ccTalk del validador de billetes; 0: no hay."),
    _s(
        "cash.hopper_address", 0, "Dirección ccTalk de la tolva de cambio (suele ser 3); 0: no hay."
    ),
    _s("cash.hopper_coin_centavos", 100, "Moneda que paga la tolva, en centavos."),
    _s(
        "cash.hopper_mode",
        "serie",
        "Con qué se autoriza a la tolva: su número de serie o la secuencia de clave.",
        "serie",
        "clave",
    ),
    _s("cash.coins", "0.50,1,2,5,10", "Monedas que se aceptan, en pesos."),
    _s("cash.notes", "20,50,100,200,500", "Billetes que se aceptan, en pesos."),
    _s("cash.change_limit_centavos", 20000, "Cambio máximo por operación, en centavos."),
    _s("cash.exact_only", False, "Solo importe exacto: nunca se da cambio."),
    _s("cash.max_payment_centavos", 1000000, "Importe máximo en efectivo; 0: sin máximo."),
    _s(
        "cash.rounding",
        "exacto",
        "Centavos de un pago en efectivo: exacto, o ajuste al peso si su ley lo permite.",
        "exacto",
        "peso",
    ),
    _s("cash.offline_max_days", 3, "Sin red, días de antigüedad de la liquidación que se acepta."),
    _s("cash.wait_s", 90, "Segundos sin meter dinero hasta terminar la operación."),
    _s("cash.stacker_capacity", 500, "Billetes que caben; al llegar no se aceptan más."),
    _s("cash.box_capacity", 2000, "Monedas que caben en la caja del monedero."),
    _s("cash.two_person", True, "El corte de caja pide dos personas distintas."),
    _s("hardware.programs", "/usr/bin", "Carpeta de los programas de voz, sonido y cámara."),
    _s("scanner.enabled", False, "Hay lector de códigos QR y de barras."),
    _s("scanner.port", "", "Puerto serie del lector (/dev/serial/by-path/...)."),
    _s("scanner.baud", 115200, "Velocidad del puerto."),
    _s(
        "scanner.hello",
        "none",
        "Saludo del lector: none, o question si responde «!» a «?» (vea su manual).",
        "none",
        "question",
    ),
    _s("keypad.enabled", False, "Hay teclado táctil de cinco teclas."),
    _s("keypad.port", "", "Teclado (/dev/input/by-path/...-event-kbd)."),
    _s("keypad.id", "", "Fabricante y producto del teclado, como 2047:09d0."),
    _s(
        "keypad.keys",
        "up=KEY_UP down=KEY_DOWN select=KEY_ENTER repeat=KEY_HELP volume=KEY_VOLUMEUP",
        "Qué tecla es cada una; ninguna otra pasa.",
    ),
    _s("numpad.enabled", False, "Hay teclado numérico."),
    _s("numpad.port", "", "Teclado numérico (/dev/input/by-path/...-event-kbd)."),
    _s("numpad.id", "", "Fabricante y producto del teclado numérico."),
    _s(
        "numpad.keys",
        "0=KEY_KP0 1=KEY_KP1 2=KEY_KP2 3=KEY_KP3 4=KEY_KP4 5=KEY_KP5 6=KEY_KP6 7=KEY_KP7 "
        "8=KEY_KP8 9=KEY_KP9 erase=KEY_BACKSPACE enter=KEY_KPENTER",
        "Qué tecla es cada una; ninguna otra pasa.",
    ),
    _s("audio.enabled", False, "Hay audio con audífonos para el modo de voz."),
    _s("audio.card", "", "Nombre de la tarjeta de sonido en /proc/asound (como Device)."),
    _s("audio.cards", "/proc/asound", "Carpeta donde el sistema enseña las tarjetas de sonido."),
    _s(
        "audio.control",
        "PCM",
        "Control de volumen de la tarjeta.",
        "PCM",
        "Speaker",
        "Headphone",
        "Master",
    ),
    _s(
        "audio.jack",
        "none",
        "Cómo se sabe si hay audífonos: none, alsa o evdev.",
        "none",
        "alsa",
        "evdev",
    ),
    _s("audio.jack_control", "Headphone Jack", "Control ALSA de la entrada de audífonos."),
    _s("audio.jack_port", "", "Sensor evdev de la entrada (/dev/input/by-path/...)."),
    _s("audio.jack_id", "", "Fabricante y producto del sensor de la entrada."),
    _s("audio.loudspeaker", False, "Se puede hablar por la bocina, sin audífonos."),
    _s("audio.voice", "es-419", "Voz en español.", "es-419", "es-mx", "es"),
    _s("audio.voice_en", "en-us", "Voz en inglés.", "en-us", "en"),
    _s("audio.words_per_minute", 140, "Velocidad de la voz, 80 a 300."),
    _s("card.enabled", False, "Hay lector de tarjetas para técnicos (PC/SC)."),
    _s("card.reader", "", "Parte del nombre del lector de tarjetas; vacía: el primero que haya."),
    _s("camera.enabled", False, "Hay cámara."),
    _s("camera.port", "", "Dispositivo de la cámara (/dev/v4l/by-path/... o /dev/media0)."),
    _s(
        "camera.program",
        "rpicam-still",
        "Programa que toma la foto.",
        "rpicam-still",
        "libcamera-still",
        "fswebcam",
        "simulator",
    ),
    _s("camera.width", 1280, "Ancho de la foto en puntos."),
    _s("camera.height", 960, "Alto de la foto en puntos."),
    _s("power.kind", "none", "Controlador solar y su protocolo.", "none", "vedirect", "epever"),
    _s("power.port", "", "Puerto serie del controlador solar."),
    _s("power.battery", "agm", "Batería, para estimar su carga por el voltaje.", "agm", "lifepo4"),
    _s("energy.kind", "grid", "De qué vive el nodo: la red eléctrica o el sol.", "grid", "solar"),
    _s(
        "energy.wake",
        "none",
        "En un nodo solar, qué lo enciende otra vez sin una visita: el temporizador o el voltaje de la "
        "salida de carga del controlador, la alarma del reloj de la placa o un temporizador aparte.",
        "none",
        "controller_timer",
        "controller_voltage",
        "rtc_alarm",
        "external_timer",
    ),
    _s(
        "energy.radio_hours",
        "",
        "En un nodo solar, horas del Wi-Fi con batería a medias, como «07:00-11:00; 16:00-21:00»; "
        "vacías: sin horario.",
    ),
    _s(
        "energy.kiosk_hours",
        "",
        "En un nodo solar, horas de la pantalla con batería a medias, como «06:00-22:00»; vacías: siempre.",
    ),
    _s(
        "energy.usb_ports",
        "",
        "En un nodo solar, puertos USB que se quedan sin corriente en guardia, como «1-1-port2 1-1-port3»; "
        "nunca el del controlador solar.",
    ),
    _s("health.data", "", "Carpeta de datos cuya memoria se vigila y prueba; vacía: no se vigila."),
    _s("portal.ssid", "Plaza-Demo", "Nombre de la red Wi-Fi."),
    _s("portal.listen", "127.0.0.1:8380", "Dirección y puerto del portal."),
    _s("portal.public_url", "http://127.0.0.1:8380", "Dirección que ve el visitante."),
    _s("portal.api_url", "", "URI https de RFC 8908; vacía: no se anuncia (RFC 8910)."),
    _s(
        "portal.metrics_listen",
        "",
        "Dirección y puerto de las métricas Prometheus, solo en este equipo (127.0.0.1:8382); vacía: no hay.",
    ),
    _s("portal.session_min", 120, "Minutos de una visita."),
    _s("portal.gate", "memory", "Puerta: memory (demostración) o nft.", "memory", "nft"),
    _s("portal.gate_socket", "/run/plaza/gate.sock", "Socket Unix del demonio de la puerta."),
    _s("portal.interface", "br-guest", "Interfaz del lado de los visitantes."),
    _s("portal.uplink", "eth0", "Interfaz hacia Internet."),
    _s(
        "support.recipients",
        "",
        "Llaves age (age1...) de los técnicos de la ciudad, separadas por espacios: solo ellas abren el "
        "paquete de ayuda. Vacías: no se puede hacer.",
    ),
    _s("sync.heartbeat_s", 5, "Segundos entre saludos a la ciudad mientras hay conexión."),
    _s("sync.retry_min_s", 5, "Primer tope de la espera aleatoria entre intentos."),
    _s("sync.retry_max_s", 1800, "Tope mayor de la espera aleatoria entre intentos."),
    _s("update.automatic", True, "El nodo se actualiza solo, en las horas de abajo."),
    _s("update.ring", 3, "Anillo de actualización: 1 recibe primero cada versión, 9 al último."),
    _s("update.from_hour", 2, "Hora local desde la que puede reiniciarse para actualizarse."),
    _s("update.to_hour", 5, "Hora local hasta la que puede reiniciarse (sin incluirla)."),
    _s("update.health_min", 5, "Minutos seguidos de buena salud para dar por buena una versión."),
    _s("update.health_limit_min", 15, "Minutos en que debe lograrlo; si no, vuelve la anterior."),
)

_BY_NAME = {s.name: s for s in SETTINGS}


class SettingsError(ValueError):
    """A settings file that cannot be used; the message names the key and the nearest known one."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings. Every name of `SETTINGS` is present; nothing else is."""

    values: Mapping[str, SettingValue]

    def text(self, name: str) -> str:
        return self._typed(name, str)

    def number(self, name: str) -> int:
        return self._typed(name, int)

    def flag(self, name: str) -> bool:
        return self._typed(name, bool)

    @property
    def node_code(self) -> str:
        """City code and node number, e.g. `COA007`: the node's name in folios and addresses."""
        return f"{self.text('city.code')}{self.number('node.number'):03d}"

    def _typed(self, name: str, kind: type[_T]) -> _T:
        value = self.values[name]
        assert type(value) is kind, f"{name} is {_BY_NAME[name].type.__name__}, not {kind.__name__}"
        return value


def parse_settings(document: Mapping[str, Any]) -> Settings:
    """Check a parsed TOML document. Raises SettingsError; fills defaults for what is not named."""
    values: dict[str, SettingValue] = {s.name: s.default for s in SETTINGS}
    for section, table in document.items():
        if not isinstance(table, Mapping):
            raise SettingsError(f"«{section}» must be a section such as [city]")
        for key, value in table.items():
            values[f"{section}.{key}"] = _checked(f"{section}.{key}", value)
    return Settings(values)


def _checked(name: str, value: Any) -> SettingValue:
    setting = _BY_NAME.get(name)
    if setting is None:
        near = difflib.get_close_matches(name, _BY_NAME, n=1, cutoff=0)[0]
        raise SettingsError(f"unknown setting «{name}»; the nearest known one is «{near}»")
    if type(value) is not setting.type:
        raise SettingsError(f"«{name}» must be {setting.type.__name__}, not {value!r}")
    if setting.choices and value not in setting.choices:
        raise SettingsError(f"«{name}» must be one of {', '.join(setting.choices)}, not {value!r}")
    result: SettingValue = value
    if setting.span and not setting.span[0] <= int(result) <= setting.span[1]:
        low, high = setting.span
        raise SettingsError(f"«{name}» must be a number from {low} to {high}, not {value!r}")
    return result
