"""A QR as one SVG path: no image request, no script, nothing for the page's policy to forbid."""

from __future__ import annotations

QUIET = 4
"""Modules of white around the code (ISO/IEC 18004)."""


def qr_path(text: str, *, sturdy: bool = False) -> tuple[str, int]:
    """(path data, modules a side with the quiet zone). Runs of dark modules are drawn as one bar.

    `sturdy` is for paper, which gets scratched.
    """
    import qrcode  # most visitors never see one
    from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M

    level = ERROR_CORRECT_M if sturdy else ERROR_CORRECT_L
    code = qrcode.QRCode(error_correction=level, border=QUIET)
    code.add_data(text)
    rows = code.get_matrix()
    bars: list[str] = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                bars.append(f"M{x} {y}h{end - x}v1h-{end - x}z")
            x = end + 1
    return "".join(bars), len(rows)
