"""Every sentence a citizen reads exists in Spanish and in English."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_message_has_both_languages_and_the_compiled_catalogues_are_current() -> None:
    checked = subprocess.run(
        [sys.executable, "-P", str(ROOT / "tests" / "strings.py")], capture_output=True, text=True
    )

    assert checked.stdout.strip() == "The catalogues are whole."
    assert checked.returncode == 0
