"""What the kiosk told the city last about each device, in the node's run folder; read by other programs.

The kiosk alone writes it (`kiosk.vitals`): device -> [state, cause]. Some lines have another meaning
(`energy` has its level alone) and are left out here.
"""

from __future__ import annotations

import json

from sync.datadir import DataDir

FILE_NAME = "vitals.json"


def told_devices(data: DataDir) -> dict[str, tuple[str, str]]:
    """Device -> (state, cause); empty when nothing was told or it cannot be read."""
    try:
        document = json.loads((data.run / FILE_NAME).read_bytes())
        pairs = {str(name): [str(word) for word in told] for name, told in document.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return {name: (words[0], words[1]) for name, words in pairs.items() if len(words) == 2}
