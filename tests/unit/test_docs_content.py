"""The page about the content folder names exactly what the code reads."""

import re
from pathlib import Path

from municipio.content import FILES, MANIFEST, RECIPIENTS, SIGNATURE, ContentTrouble
from municipio.content_shapes import PadronShape, TermsShape, TramiteShape

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "content.md").read_text("utf-8")


def rows(heading: str) -> list[str]:
    """First cells, without marks, of the table under a heading."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = re.findall(r"^\| (`[^|]+`) \|", section, flags=re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_the_page_lists_every_file_in_order() -> None:
    assert rows("Files") == [MANIFEST, SIGNATURE, *FILES]


def test_the_page_names_every_key_of_a_card_and_of_the_padron() -> None:
    assert rows("`tramites.json`") == list(TramiteShape.__struct_fields__)
    assert rows("`padron.ndjson`") == list(PadronShape.__struct_fields__)
    assert all(f'"{key}"' in PAGE for key in TermsShape.__struct_fields__)
    assert all(f'"{office}"' in PAGE for office in RECIPIENTS)


def test_the_page_explains_every_refusal() -> None:
    assert rows("Why a folder is refused") == ["problem", *(t.value for t in ContentTrouble)]
