"""The bundled monospaced face: pictures of characters that a printer's code page lacks.

Noto Sans Mono (SIL Open Font License 1.1, text beside), cut down to Latin letters and signs.
"""

from __future__ import annotations

from importlib import resources


def font_bytes(*, bold: bool = False) -> bytes:
    """The TrueType file. Its advance is 600/1000 em: 20 px gives the 12-dot cell of font A."""
    name = f"NotoSansMono-{'Bold' if bold else 'Regular'}.ttf"
    return resources.files(__name__).joinpath(name).read_bytes()
