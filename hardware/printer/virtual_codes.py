"""QR and Code 128 as squares, for the simulated printer: real codes that a phone reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drawn:
    """Rows of packed bits, 1 = ink; `columns` counts the padding to whole bytes too."""

    columns: int
    rows: int
    bits: bytes


def qr(data: bytes, level: int) -> Drawn | None:
    """Level 0 to 3 is L, M, Q, H. None when the data is empty or does not fit a QR."""
    import qrcode
    from qrcode import constants
    from qrcode.exceptions import DataOverflowError

    levels = (
        constants.ERROR_CORRECT_L,
        constants.ERROR_CORRECT_M,
        constants.ERROR_CORRECT_Q,
        constants.ERROR_CORRECT_H,
    )
    if not data:
        return None
    code = qrcode.QRCode(error_correction=levels[level], border=0)
    code.add_data(data, optimize=0)
    try:
        matrix = code.get_matrix()
    except (DataOverflowError, ValueError):
        return None
    return _pack(matrix)


def code128_text(args: bytes) -> str:
    """What `GS k m ...` says, or "" when it is not a Code 128 or not readable."""
    if len(args) < 3 or args[0] != 73:
        return ""
    text, current, data = "", "", args[2:]
    at = 0
    while at < len(data):
        if data[at] == 0x7B and at + 1 < len(data):
            if chr(data[at + 1]) in "ABC":
                current = chr(data[at + 1])
            elif data[at + 1] == 0x7B:
                text += "{"
            at += 2
            continue
        if current == "C":
            text += f"{data[at]:02d}" if data[at] < 100 else ""
        elif 0x20 <= data[at] < 0x7F:
            text += chr(data[at])
        at += 1
    return text if current else ""


def barcode(args: bytes) -> tuple[str, Drawn] | None:
    """What `GS k` says and how it is drawn; None for a kind or content that no code has.

    Kinds by their number: 0 to 6 end in NUL, 65 to 73 carry their length.
    """
    if not args:
        return None
    if args[0] == 73:
        content = code128_text(args)
        drawn = code128(content) if content else None
        return (content, drawn) if drawn is not None else None
    kind = args[0] - 65 if args[0] >= 65 else args[0]
    data = args[2:] if args[0] >= 65 else args[1:].rstrip(b"\x00")
    return _lines(kind, data.decode("ascii", errors="replace"))


def _lines(kind: int, content: str) -> tuple[str, Drawn] | None:
    import barcode as python_barcode
    from barcode.errors import BarcodeError

    names = {0: "upca", 2: "ean13", 3: "ean8", 4: "code39", 5: "itf", 6: "codabar"}
    options = {"add_checksum": False} if kind == 4 else {}
    if kind not in names or not content:
        return None
    try:
        code = python_barcode.get(names[kind], content, options=options)
        (modules,) = code.build()
        full = code.get_fullcode()
    except (BarcodeError, KeyError, ValueError, IndexError, TypeError):
        return None
    return full, _pack([[module in "1G" for module in modules]])


def code128(content: str) -> Drawn | None:
    from barcode.codex import Code128
    from barcode.errors import BarcodeError

    try:
        (modules,) = Code128(content).build()
    except (BarcodeError, KeyError, ValueError):
        return None
    return _pack([[module == "1" for module in modules]])


def _pack(matrix: list[list[bool]]) -> Drawn:
    width = (len(matrix[0]) + 7) // 8
    bits = b"".join(
        int("".join("1" if dark else "0" for dark in row).ljust(width * 8, "0"), 2).to_bytes(
            width, "big"
        )
        for row in matrix
    )
    return Drawn(len(matrix[0]), len(matrix), bits)
