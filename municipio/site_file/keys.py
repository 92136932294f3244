"""Every key of `plaza.toml`, in the order of the file. Nothing else may stand in it."""

from __future__ import annotations

from municipio.site_file.shape import ANY, Key, Kind, When

SECTIONS: dict[str, str] = {
    "site": "El lugar",
    "city": "La ciudad: a quién se reporta este nodo",
    "uplink": "Cómo sale a Internet",
    "wifi": "La red Wi-Fi de los visitantes",
    "printer": "La impresora de recibos",
    "terminal": "La terminal de tarjetas",
    "energy": "La energía",
    "technician": "El técnico",
}

_INTERFACE = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}"
_BYTE = r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_BYTE}(\.{_BYTE}){{3}}"
_HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
_HOURS = "([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]"
_USB_PORT = r"(usb[0-9]+|[0-9]+-[0-9]+(\.[0-9]+)*)-port[0-9]+"
_PORT_FILE = r"/dev/[A-Za-z0-9_][A-Za-z0-9/_.:+@=-]{0,180}"
_SERIAL = "/dev/serial/by-path/platform-fd500000.pcie-usb-0:1.2:1.0-port0"

_LTE = When("uplink.kind", ("lte",))
_WIFI_UP = When("uplink.kind", ("wifi-client",))
_CABLE = When("uplink.kind", ("ethernet",))
_FIXED = When("uplink.address", (ANY,))
_KIOSK = When("site.profile", ("kiosk+portal",))
_RADIO = When("wifi.mode", ("radio",))
_STAFF = When("wifi.staff_ssid", (ANY,))
_SOLAR = When("energy.kind", ("solar",))

ZONES: tuple[tuple[str, str], ...] = (
    ("America/Mexico_City", "Centro: casi todo el país"),
    ("America/Cancun", "Quintana Roo"),
    ("America/Merida", "Yucatán y Campeche"),
    ("America/Monterrey", "Nuevo León, Coahuila y Tamaulipas"),
    ("America/Matamoros", "Franja fronteriza de Tamaulipas, Nuevo León y Coahuila"),
    ("America/Chihuahua", "Chihuahua"),
    ("America/Ojinaga", "Ojinaga"),
    ("America/Ciudad_Juarez", "Ciudad Juárez"),
    ("America/Mazatlan", "Sinaloa, Nayarit y Baja California Sur"),
    ("America/Bahia_Banderas", "Bahía de Banderas"),
    ("America/Hermosillo", "Sonora"),
    ("America/Tijuana", "Baja California"),
)

PRINTERS: tuple[tuple[str, str], ...] = (
    ("generic-80", "Cualquiera ESC/POS de 80 mm"),
    ("generic-58", "Cualquiera ESC/POS de 58 mm"),
    ("tm-t20iii-80", "Epson TM-T20III, papel de 80 mm"),
    ("tm-t20iii-58", "Epson TM-T20III, papel de 58 mm"),
    ("tm-t88-80", "Epson TM-T88, papel de 80 mm"),
    ("tm-t88-58", "Epson TM-T88, papel de 58 mm"),
    ("star-escpos-80", "Star en modo ESC/POS, papel de 80 mm"),
    ("star-escpos-58", "Star en modo ESC/POS, papel de 58 mm"),
    ("srp-350-80", "Bixolon SRP-350, papel de 80 mm"),
    ("srp-350-58", "Bixolon SRP-350, papel de 58 mm"),
    ("pos-58", "POS-58 genérica"),
)

KEYS: tuple[Key, ...] = (
    Key(
        "site.name", Kind.TEXT, "", "Nombre del lugar",
        "Como lo conoce la gente; se ve en la pantalla, en el portal y en los recibos.",
        "de 1 a 100 letras en una sola línea", max_length=100, is_needed=True,
        example="Parque Independencia",
    ),
    Key(
        "site.number", Kind.NUMBER, 0, "Número del nodo",
        "El que la ciudad dio a este lugar. Dos nodos de una ciudad nunca comparten número.",
        "un número entero de 1 a 999, sin comillas", low=1, high=999, is_needed=True, example="7",
    ),
    Key(
        "site.address", Kind.TEXT, "", "Domicilio", "Calle, número y colonia del lugar.",
        "hasta 120 letras en una sola línea", example="Av. Zaragoza 101, Centro", is_rare=True,
    ),
    Key(
        "site.profile", Kind.CHOICE, "kiosk+portal", "Qué es este nodo",
        "Con pantalla táctil y Wi-Fi, solo Wi-Fi (basta una placa de 512 MB), o pantalla de consulta "
        "sin cobros.",
        choices=(
            ("kiosk+portal", "Kiosco con pantalla, y portal Wi-Fi"),
            ("portal", "Solo portal Wi-Fi, sin pantalla"),
            ("information", "Pantalla de consulta sin cobros, y portal Wi-Fi"),
        ),
    ),
    Key(
        "site.languages", Kind.LIST, ("es", "en"), "Idiomas",
        "Idiomas del portal; el primero se habla a quien no pide otro.",
        'una lista como ["es", "en"], ["es"] o ["en", "es"]',
        choices=(("es", "Español"), ("en", "Inglés")), is_needed=True,
    ),
    Key(
        "site.timezone", Kind.CHOICE, "America/Mexico_City", "Zona horaria",
        "Hora oficial del lugar.", choices=ZONES, is_rare=True,
    ),
    Key(
        "site.clock", Kind.CHOICE, "network", "Reloj",
        "Con pila, la hora vale aunque el nodo arranque sin red.",
        choices=(("network", "Solo por red"), ("battery", "La placa tiene reloj con pila (RTC)")),
        is_rare=True,
    ),
    Key(
        "city.url", Kind.TEXT, "", "Dirección de la ciudad",
        "La de la API de la ciudad; la da el área de sistemas.",
        "una dirección que empieza con https:// (o http:// en pruebas)", max_length=200,
        pattern=rf"https?://{_HOST}(:[0-9]{{1,5}})?(/[A-Za-z0-9._~/-]*)?", is_needed=True,
        example="https://plaza.ciudad.example",
    ),
    Key(
        "city.letters", Kind.TEXT, "", "Letras de la ciudad",
        "Las tres letras con que empieza cada folio.", "tres letras mayúsculas",
        pattern="[A-Z]{3}", is_needed=True, example="COA",
    ),
    Key(
        "city.inegi", Kind.TEXT, "", "Clave INEGI del municipio", "La que el INEGI da a este municipio.",
        "cinco dígitos, entre comillas", pattern="[0-9]{5}", is_needed=True, example="30039",
    ),
    Key(
        "city.code", Kind.TEXT, "", "Código de alta",
        "El que la ciudad dio para este nodo: 16 letras y números. Sirve una vez; sin señal, el nodo "
        "atiende y se da de alta cuando la haya. Vacío: se da de alta después.",
        "16 letras y números, como K7QF-2M9D-XR4T-8WNH; sin la letra U", max_length=40,
        pattern="[ -]*([0-9A-TV-Za-tv-z][ -]*){16}", is_secret=True,
        example="K7QF-2M9D-XR4T-8WNH",
    ),
    Key(
        "city.key", Kind.BLOCK, "", "Llave pública de la ciudad",
        "Opcional: con ella el nodo lee el contenido de una memoria USB antes de darse de alta.",
        "el texto completo entre BEGIN PUBLIC KEY y END PUBLIC KEY", max_length=2000,
        pattern=r"\s*-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*", is_rare=True,
    ),
    Key(
        "city.ca", Kind.BLOCK, "", "Certificado de la autoridad",
        "Solo si la ciudad firma sus propios certificados (PEM). Vacío: las autoridades conocidas.",
        "el texto completo entre BEGIN CERTIFICATE y END CERTIFICATE", max_length=8000,
        pattern=r"\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+",
        is_rare=True,
    ),
    Key(
        "uplink.kind", Kind.CHOICE, "ethernet", "Salida a Internet", "Por dónde sale este nodo.",
        choices=(
            ("ethernet", "Cable de red"),
            ("wifi-client", "Otra red Wi-Fi (se necesita un segundo radio USB)"),
            ("lte", "Módem celular USB con chip (SIM)"),
        ),
    ),
    Key(
        "uplink.interface", Kind.TEXT, "", "Interfaz",
        "Vacía: eth0 con cable, wlan1 con Wi-Fi, wwan0 con módem.",
        "el nombre de una interfaz, como eth0", max_length=15, pattern=_INTERFACE,
        differs_from="wifi.interface", example="eth0", is_rare=True,
    ),
    Key(
        "uplink.address", Kind.TEXT, "", "Dirección fija",
        "Vacía: la da la red (DHCP), que es lo usual.",
        "una dirección con su máscara, como 192.168.1.20/24", max_length=18,
        pattern=rf"{_IPV4}/([89]|[12][0-9]|30)", when=_CABLE, example="192.168.1.20/24", is_rare=True,
    ),
    Key(
        "uplink.gateway", Kind.TEXT, "", "Puerta de enlace", "La del módem, si la dirección es fija.",
        "una dirección como 192.168.1.1", max_length=15, pattern=_IPV4, when=_FIXED, is_needed=True,
        example="192.168.1.1",
    ),
    Key(
        "uplink.dns", Kind.TEXT, "", "Servidor de nombres",
        "Si la dirección es fija. Vacío: la puerta de enlace.",
        "una dirección como 192.168.1.1", max_length=15, pattern=_IPV4, when=_FIXED,
        example="192.168.1.1",
    ),
    Key(
        "uplink.ssid", Kind.TEXT, "", "Red Wi-Fi de salida", "Nombre exacto de la red a la que se une.",
        "de 1 a 32 letras en una sola línea", max_length=32, max_bytes=32, when=_WIFI_UP,
        is_needed=True, differs_from="wifi.ssid", example="Oficinas",
    ),
    Key(
        "uplink.password", Kind.TEXT, "", "Contraseña de esa red", "La de la red de salida.",
        "de 8 a 63 letras, números y signos comunes", max_length=64,
        pattern=r"[ -~]{8,63}|[0-9A-Fa-f]{64}", when=_WIFI_UP, is_needed=True, is_secret=True,
    ),
    Key(
        "uplink.apn", Kind.TEXT, "", "APN del chip", "Lo da la compañía celular.",
        "letras, números, puntos y guiones", max_length=100, pattern=r"[A-Za-z0-9][A-Za-z0-9.-]*",
        when=_LTE, is_needed=True, example="internet.itelcel.com",
    ),
    Key(
        "uplink.user", Kind.TEXT, "", "Usuario del APN", "Casi siempre vacío.",
        "letras, números y signos comunes", max_length=64, pattern=r"[!-~]+", when=_LTE, is_rare=True,
    ),
    Key(
        "uplink.apn_password", Kind.TEXT, "", "Contraseña del APN", "Casi siempre vacía.",
        "letras, números y signos comunes", max_length=64, pattern=r"[!-~]+", when=_LTE,
        is_secret=True, is_rare=True,
    ),
    Key(
        "uplink.pin", Kind.TEXT, "", "NIP del chip", "Solo si el chip lo pide al encender.",
        "de 4 a 8 dígitos, entre comillas", max_length=8, pattern="[0-9]{4,8}", when=_LTE,
        is_secret=True,
    ),
    Key(
        "wifi.ssid", Kind.TEXT, "", "Nombre de la red", "El que la gente busca en su teléfono.",
        "de 1 a 32 letras en una sola línea", max_length=32, max_bytes=32, is_needed=True,
        example="Plaza Libre",
    ),
    Key(
        "wifi.mode", Kind.CHOICE, "radio", "Quién la emite",
        "El radio de esta placa, o antenas de exterior en un cable.",
        choices=(("radio", "El radio de la placa"), ("wired", "Antenas de exterior por cable")), is_rare=True,
    ),
    Key(
        "wifi.interface", Kind.TEXT, "wlan0", "Radio", "El que emite la red de los visitantes.",
        "el nombre de una interfaz, como wlan0", max_length=15, pattern=_INTERFACE, when=_RADIO,
        is_needed=True, example="wlan0", is_rare=True,
    ),
    Key(
        "wifi.cable", Kind.TEXT, "eth1", "Puerto de las antenas",
        "El puerto del nodo, o la VLAN, al que llegan las antenas de exterior.",
        "el nombre de una interfaz, como eth1 o eth0.20", max_length=15, pattern=_INTERFACE,
        when=When("wifi.mode", ("wired",)), is_needed=True, differs_from="uplink.interface",
        example="eth1", is_rare=True,
    ),
    Key(
        "wifi.country", Kind.CHOICE, "MX", "País", "Decide los canales legales.",
        choices=(("MX", "México"),), is_rare=True,
    ),
    Key(
        "wifi.band", Kind.CHOICE, "2.4", "Banda", "2.4 llega más lejos; 5 lleva más.",
        choices=(("2.4", "2.4 GHz"), ("5", "5 GHz")), when=_RADIO, is_rare=True,
    ),
    Key(
        "wifi.channel", Kind.NUMBER, 0, "Canal", "0: el nodo elige uno legal.",
        "un número entero, sin comillas", low=0, high=177, when=_RADIO,
        choices_by=(
            "wifi.band",
            (
                ("2.4", (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)),
                ("5", (0, 36, 40, 44, 48, 149, 153, 157, 161, 165)),
            ),
        ),
        example="6", is_rare=True,
    ),
    Key(
        "wifi.security", Kind.CHOICE, "open", "Cifrado",
        "«owe» cifra sin contraseña a los teléfonos que lo saben; los demás entran igual.",
        choices=(("open", "Abierta"), ("owe", "Abierta, cifrada cuando se puede (OWE)")),
        when=_RADIO, is_rare=True,
    ),
    Key(
        "wifi.staff_ssid", Kind.TEXT, "", "Red del personal",
        "Segunda red, con contraseña, para los técnicos. Vacía: no hay.",
        "de 1 a 32 letras en una sola línea", max_length=32, max_bytes=32, when=_RADIO,
        differs_from="wifi.ssid", example="Plaza-Tecnicos",
    ),
    Key(
        "wifi.staff_password", Kind.TEXT, "", "Contraseña de la red del personal", "WPA3.",
        "de 12 a 63 letras, números y signos, sin espacios y sin |", max_length=63,
        pattern="[!-{}~]{12,63}", when=_STAFF, is_needed=True, is_secret=True,
    ),
    Key(
        "printer.port", Kind.TEXT, "", "Dónde está la impresora",
        "Vacío: no hay impresora. USB: usb:// con fabricante y producto; red: tcp://dirección:9100; "
        "puerto serie: /dev/serial/by-path/...",
        "una dirección como usb://04b8:0e27, tcp://192.168.1.50:9100 o de /dev/serial/by-path",
        max_length=200,
        pattern=rf"usb://[0-9a-fA-F]{{4}}:[0-9a-fA-F]{{4}}|tcp://{_HOST}:[0-9]{{1,5}}|{_PORT_FILE}",
        when=_KIOSK, example="usb://04b8:0e27",
    ),
    Key(
        "printer.profile", Kind.CHOICE, "generic-80", "Modelo y papel", "Si duda, la primera.",
        choices=PRINTERS, when=_KIOSK,
    ),
    Key(
        "terminal.kind", Kind.CHOICE, "none", "Terminal de tarjetas", "Cómo se cobra con tarjeta.",
        choices=(
            ("none", "No hay"),
            ("serial", "Terminal del banco por cable serie"),
            ("mercadopago", "Mercado Pago Point"),
        ),
        when=_KIOSK,
    ),
    Key(
        "terminal.port", Kind.TEXT, "", "Puerto de la terminal", "Puerto serie, por su lugar.",
        "un puerto de /dev/serial/by-path", max_length=200, pattern=_PORT_FILE,
        when=When("terminal.kind", ("serial",)), is_needed=True, example=_SERIAL,
    ),
    Key(
        "terminal.point_id", Kind.TEXT, "", "Identificador de la Point", "El que da Mercado Pago.",
        "letras, números, guiones y guion bajo", max_length=100, pattern=r"[A-Za-z0-9_-]+",
        when=When("terminal.kind", ("mercadopago",)), is_needed=True,
        example="NEWLAND_N950__N950NCB801293324",
    ),
    Key(
        "terminal.token", Kind.TEXT, "", "Credencial de Mercado Pago",
        "Se guarda en la memoria del nodo y se borra de este archivo.",
        "letras, números y signos, sin espacios", max_length=200, pattern=r"[!-~]{8,200}",
        when=When("terminal.kind", ("mercadopago",)), is_secret=True,
    ),
    Key(
        "energy.kind", Kind.CHOICE, "grid", "Energía", "De dónde vive este nodo.",
        choices=(("grid", "Red eléctrica"), ("solar", "Panel solar y batería")),
    ),
    Key(
        "energy.controller", Kind.CHOICE, "none", "Controlador solar", "Con quién se mide la batería.",
        choices=(
            ("none", "No se mide"),
            ("vedirect", "Victron (VE.Direct)"),
            ("epever", "EPEVER Tracer (RS-485)"),
        ),
        when=_SOLAR,
    ),
    Key(
        "energy.port", Kind.TEXT, "", "Puerto del controlador", "Puerto serie, por su lugar.",
        "un puerto de /dev/serial/by-path", max_length=200, pattern=_PORT_FILE,
        when=When("energy.controller", ("vedirect", "epever")), is_needed=True, example=_SERIAL,
    ),
    Key(
        "energy.battery", Kind.CHOICE, "agm", "Batería", "Su tipo, para estimar la carga.",
        choices=(("agm", "Plomo-ácido AGM o gel"), ("lifepo4", "Litio (LiFePO4)")), when=_SOLAR, is_rare=True,
    ),
    Key(
        "energy.wake", Kind.CHOICE, "none", "Quién lo despierta",
        "Un nodo solar nunca se apaga sin quien lo vuelva a encender.",
        choices=(
            ("none", "Nadie (solo con red eléctrica)"),
            ("controller_timer", "El controlador, por hora"),
            ("controller_voltage", "El controlador, cuando sube el voltaje"),
            ("rtc_alarm", "La alarma del reloj de la placa (Raspberry Pi 5: con Debian todavía no)"),
            ("external_timer", "Un temporizador aparte"),
        ),
        when=_SOLAR, is_needed=True,
    ),
    Key(
        "energy.radio_hours", Kind.TEXT, "", "Horas del Wi-Fi",
        "Horas del Wi-Fi con la batería a medias. Vacío: sin horario.",
        "horas como 07:00-11:00; 16:00-21:00", max_length=80,
        pattern=rf"{_HOURS}(; ?{_HOURS}){{0,5}}", when=_SOLAR, example="07:00-11:00; 16:00-21:00",
    ),
    Key(
        "energy.kiosk_hours", Kind.TEXT, "", "Horas de la pantalla",
        "Horas de la pantalla con la batería a medias. Vacío: siempre.",
        "horas como 06:00-22:00", max_length=80,
        pattern=rf"{_HOURS}(; ?{_HOURS}){{0,5}}", when=_SOLAR, example="06:00-22:00", is_rare=True,
    ),
    Key(
        "energy.usb_ports", Kind.TEXT, "", "Puertos USB que se apagan",
        "Se quedan sin corriente con la batería casi vacía. Nunca el del controlador solar.",
        "puertos como 1-1-port2 1-1-port3", max_length=200,
        pattern=rf"{_USB_PORT}( {_USB_PORT}){{0,15}}", when=_SOLAR, example="1-1-port2", is_rare=True,
    ),
    Key(
        "technician.code", Kind.TEXT, "", "Clave del sitio",
        "Ocho dígitos que abren la pantalla del técnico una vez, antes de que llegue la lista de "
        "técnicos de la ciudad.",
        "ocho dígitos, entre comillas", max_length=8, pattern="[0-9]{8}", is_secret=True,
        example="40712885",
    ),
    Key(
        "technician.ssh_key", Kind.TEXT, "", "Llave SSH del técnico",
        "Vacía: no hay entrada por SSH. Con ella, solo por la red del personal o el cable.",
        "una línea que empieza con ssh-ed25519, ecdsa-sha2-nistp256 o ssh-rsa", max_length=1000,
        pattern=r"(ssh-ed25519|ecdsa-sha2-nistp256|ssh-rsa) [A-Za-z0-9+/]{60,}={0,2}( [!-~ ]{0,100})?",
        is_rare=True,
    ),
)  # fmt: skip

BY_NAME: dict[str, Key] = {key.name: key for key in KEYS}
