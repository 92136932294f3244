"""Every simulated device of the bench, its words in a scenario and its buttons on the page.

Adding a device is one line of `DEVICES`. Modules are imported when a device is built, so that reading
a scenario costs nothing. Amounts in a scenario are pesos.
"""

from __future__ import annotations

from hardware.bench import builders
from hardware.bench.device import Button, Device, Verb, money, word
from hardware.bench.scenario import Vocabulary
from hardware.keypad.keys import NUMERIC, TACTILE, Key
from municipio.settings import SETTINGS

_CABLE = dict(word(v) for v in ("silence", "speak", "unplug", "replug"))
_CABLE_BUTTONS = (
    Button("Desconectar", "unplug", look="trouble"),
    Button("Conectar", "replug"),
    Button("Que calle", "silence", look="trouble"),
    Button("Que responda", "speak"),
)

PRINTER = Device(
    "printer", "Impresora", builders.printer, {"printer.port": "{port}"},
    dict([
        *_CABLE.items(), word("paper_out"), word("set_paper", float), word("load_paper"),
        word("open_cover"), word("close_cover"), word("block"), word("unblock"),
        word("fault", ("cutter", "unrecoverable", "auto_recoverable")), word("clear_faults"),
    ]),
    (
        Button("Quitar el papel", "paper_out", look="trouble"),
        Button("Dejar 4 cm", "set_paper", (40.0,), "trouble"),
        Button("Poner papel", "load_paper"),
        Button("Abrir la tapa", "open_cover", look="trouble"), Button("Cerrar la tapa", "close_cover"),
        Button("Trabar el cortador", "fault", ("cutter",), "trouble"),
        Button("Quitar fallas", "clear_faults"),
        *_CABLE_BUTTONS,
    ),
)  # fmt: skip

TERMINAL = Device(
    "terminal", "Terminal de tarjeta", builders.terminal,
    {"terminal.port": "{port}", "terminal.wait_s": 60},
    dict([
        *_CABLE.items(),
        *(word(v) for v in ("hold", "auto", "approve", "decline", "cancel", "expire")),
    ]),
    (
        Button("Acercar tarjeta", "approve", look="card"),
        Button("Tarjeta rechazada", "decline", look="card"),
        Button("Botón rojo", "cancel", look="trouble"),
        Button("Esperar a la persona", "hold"), Button("Aprobar sola", "auto"),
        *_CABLE_BUTTONS,
    ),
)  # fmt: skip

CASH = Device(
    "cash", "Monedas y billetes", builders.cash,
    # Debts have odd centavos: without rounding nobody could pay the demonstration's in cash.
    {"cash.port": "{port}", "cash.enabled": True, "cash.rounding": "peso"},
    dict([
        *_CABLE.items(), money("coin", "insert_coin"), money("note", "insert_note"),
        word("string_coin"), word("string_note"), word("jam_coins"), word("jam_note"),
        word("clear_jams"), word("pull_plug"), word("restore"),
        ("restore_stacking", Verb(lambda s: s.restore("stack"))), word("fill_stacker"),
        word("empty_stacker"), word("take_stacker"), word("put_stacker"),
        word("collect"),
        word("set_hopper", int),
    ]),
    (
        *(Button(f"$ {n}", "coin", (float(n),), "coin") for n in (1, 2, 5, 10)),
        *(Button(f"$ {n}", "note", (float(n),), "note") for n in (20, 50, 100, 200, 500)),
        Button("Atorar un billete", "jam_note", look="trouble"),
        Button("Atorar una moneda", "jam_coins", look="trouble"),
        Button("Desatorar", "clear_jams"),
        Button("Cortarle la luz", "pull_plug", look="trouble"), Button("Darle luz", "restore"),
        Button("Llenar la caja de billetes", "fill_stacker", look="trouble"),
        Button("Sacar la caja", "take_stacker", look="trouble"),
        Button("Recoger el dinero", "collect"),
        Button("Vaciar la caja", "empty_stacker"), Button("Meter la caja", "put_stacker"),
        *_CABLE_BUTTONS,
    ),
    builders.watch_cash, "cash.enabled",
)  # fmt: skip

CARD = Device(
    "card", "Tarjeta de técnico", builders.card, {"card.enabled": True},
    dict([
        word("insert", ("tecnico", "segundo", "ajena", "rota")), word("remove"),
        word("service_down"), word("service_up"),
    ]),
    (
        Button("Meter la del técnico", "insert", ("tecnico",), "card"),
        Button("Meter la del segundo", "insert", ("segundo",), "card"),
        Button("Meter una ajena", "insert", ("ajena",), "card"),
        Button("Meter una rota", "insert", ("rota",), "card"),
        Button("Sacar", "remove"),
        Button("Caer el lector", "service_down", look="trouble"), Button("Volver el lector", "service_up"),
    ),
    builders.watch_card, "card.enabled", note="NIP de demostración: 123456", missing=builders.card_missing,
)  # fmt: skip

SUN = Device(
    "sun", "Batería y sol", builders.sun, {"power.kind": "vedirect", "power.port": "{port}"},
    dict([
        *_CABLE.items(),
        ("weather", Verb(lambda s, w: s.set_weather(w), (("clear", "cloudy", "storm"),))),
        ("charge", Verb(lambda s, p: s.set_charge(p), (float,))),
        ("hour", Verb(lambda s, h: s.set_hour(h), (float,))),
        ("pass_days", Verb(lambda s, d: s.pass_days(d), (float,))),
        ("time_factor", Verb(lambda s, f: s.set_time_factor(f), (float,))),
        word("break_battery"), word("new_battery"), word("fault", int),
        ("garbage", Verb(lambda s: s.garbage(True))), ("clean", Verb(lambda s: s.garbage(False))),
    ]),
    (
        Button("Despejado", "weather", ("clear",)), Button("Nublado", "weather", ("cloudy",)),
        Button("Tormenta", "weather", ("storm",)),
        Button("Pasar un día", "pass_days", (1.0,)), Button("Un día por minuto", "time_factor", (1440.0,)),
        Button("Tiempo real", "time_factor", (1.0,)),
        Button("Batería vieja", "break_battery", look="trouble"), Button("Batería nueva", "new_battery"),
        *_CABLE_BUTTONS,
    ),
)  # fmt: skip

SCANNER = Device(
    "scanner", "Lector de códigos", builders.scanner,
    {"scanner.port": "{port}", "scanner.enabled": True},
    dict([*_CABLE.items(), word("scan", str), word("garbage")]),
    (
        Button("Recibo del año pasado", "scan", ("0620000101023005000007",), "card"),
        Button("Código dañado", "garbage", look="trouble"),
        *_CABLE_BUTTONS,
    ),
    builders.watch_scanner, "scanner.enabled", ("scan", "Otro código", "Leer"),
)  # fmt: skip

_TACTILE = tuple(k.value for k in Key if k in TACTILE)
_NUMERIC = tuple(k.value for k in Key if k in NUMERIC)
_KEYS = dict([
    *_CABLE.items(), word("stick"), word("let_go"), word("chatter"),
    ("swap", Verb(lambda s: s.become("dead:beef"))), ("swap_back", Verb(lambda s: s.return_own())),
])  # fmt: skip
_KEYS_BUTTONS = (
    Button("Trabar una tecla", "stick", look="trouble"), Button("Soltarla", "let_go"),
    Button("Contacto gastado", "chatter", look="trouble"),
    Button("Poner otro teclado", "swap", look="trouble"), Button("Poner el suyo", "swap_back"),
    Button("Desconectar", "unplug", look="trouble"), Button("Conectar", "replug"),
)  # fmt: skip

KEYPAD = Device(
    "keypad", "Teclado de cinco teclas", builders.keypad,
    {"keypad.enabled": True, "keypad.port": "{port}", "keypad.id": builders.KEYPAD_ID},
    {**_KEYS, "press": Verb(lambda s, k: s.push(k), (_TACTILE,))},
    (
        *(Button(label, "press", (key,), "key") for label, key in zip(
            ("▲ Antes", "▼ Después", "● Elegir", "↻ Repetir", "♪ Volumen"), _TACTILE, strict=True)),
        *_KEYS_BUTTONS,
    ),
    builders.watch_keypad, "keypad.enabled",
)  # fmt: skip

NUMPAD = Device(
    "numpad", "Teclado de números", builders.numpad,
    {"numpad.enabled": True, "numpad.port": "{port}", "numpad.id": builders.NUMPAD_ID},
    {**_KEYS, "press": Verb(lambda s, k: s.push(k), (_NUMERIC,)), **dict([word("dial", str)])},
    (
        *(Button({"erase": "Borrar", "enter": "Entrar"}.get(k, k), "press", (k,), "key")
          for k in _NUMERIC),
        *_KEYS_BUTTONS,
    ),
    builders.watch_numpad, "numpad.enabled", ("dial", "Un número", "Marcar"),
)  # fmt: skip

AUDIO = Device(
    "audio", "Audífonos y voz", builders.audio,
    {"audio.enabled": True, "audio.card": "Simulada", "audio.cards": "{files}/cards",
     "hardware.programs": "{files}/bin", "audio.jack": "evdev", "audio.jack_port": "{port}",
     "audio.jack_id": "0000:0006"},
    dict([
        ("headphones_in", Verb(lambda s: s.insert_headphones())),
        ("headphones_out", Verb(lambda s: s.pull_headphones())),
        ("unplug", Verb(lambda s: s.unplug())), ("replug", Verb(lambda s: s.plug())),
        ("unplug_jack", Verb(lambda s: s.unplug_jack())),
        ("replug_jack", Verb(lambda s: s.replug_jack())), word("lose_voice"), word("find_voice"),
    ]),
    (
        Button("Meter los audífonos", "headphones_in", look="card"),
        Button("Sacar los audífonos", "headphones_out", look="card"),
        Button("Sacar la tarjeta de sonido", "unplug", look="trouble"), Button("Meterla", "replug"),
        Button("Soltar el sensor", "unplug_jack", look="trouble"),
        Button("Conectar el sensor", "replug_jack"),
        Button("Dañar la voz", "lose_voice", look="trouble"), Button("Arreglar la voz", "find_voice"),
    ),
    builders.watch_audio, "audio.enabled",
)  # fmt: skip

CAMERA = Device(
    "camera", "Cámara", builders.camera,
    {"camera.enabled": True, "camera.port": "{port}", "camera.program": "simulator"},
    dict([word(v) for v in ("shoot", "cover", "uncover", "spoil", "unplug", "replug")]),
    (
        Button("Ver lo que ve", "shoot", look="card"),
        Button("Taparla", "cover", look="trouble"), Button("Destaparla", "uncover"),
        Button("Dañar la imagen", "spoil", look="trouble"),
        Button("Desconectar", "unplug", look="trouble"), Button("Conectar", "replug"),
    ),
    builders.watch_camera, "camera.enabled",
)  # fmt: skip

DEVICES: dict[str, Device] = {
    d.name: d for d in (PRINTER, TERMINAL, CASH, CARD, SUN, SCANNER, KEYPAD, NUMPAD, AUDIO, CAMERA)
}


def vocabulary() -> Vocabulary:
    """What a scenario may name."""
    return Vocabulary(
        {d.name: {word: verb.kinds for word, verb in d.verbs.items()} for d in DEVICES.values()},
        frozenset(s.name for s in SETTINGS),
    )
