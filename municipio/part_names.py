"""What the parts of a node are called, in every program: devices, and what a board tells of itself.

Msgids of the catalogue `municipio`.
"""

from __future__ import annotations

from typing import Final

from municipio.device_words import N_

DEVICE_NAMES: Final[dict[str, str]] = {
    "printer": N_("Impresora"),
    "terminal": N_("Terminal de tarjeta"),
    "cash": N_("Efectivo"),
    "power": N_("Controlador solar"),
    "scanner": N_("Lector de códigos"),
    "keypad": N_("Teclado de cinco teclas"),
    "numpad": N_("Teclado de números"),
    "audio": N_("Audio"),
    "card": N_("Lector de tarjeta de servicio"),
    "camera": N_("Cámara"),
}
"""By the name that a device has in settings and facts."""

HEALTH_NAMES: Final[dict[str, str]] = {
    "supply": N_("Alimentación"),
    "temperature": N_("Temperatura"),
    "throttling": N_("Velocidad del procesador"),
    "storage_errors": N_("Errores de la memoria"),
    "storage_wear": N_("Desgaste de la memoria"),
    "storage_test": N_("Prueba de la memoria"),
    "space": N_("Espacio libre"),
    "inodes": N_("Archivos libres"),
    "clock": N_("Hora"),
    "screen": N_("Dibujo de la pantalla"),
    "memory": N_("Memoria libre"),
    "load": N_("Carga de trabajo"),
}
"""By the value of `hardware.health.state.Item`."""
