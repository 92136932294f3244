"""Settings from the city's repository: all of a node's documents taken together, or the old ones kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from municipio.city_settings import MAX_BYTES, CitySettingsProblem, targets_for
from municipio.facts import FactDraft, FactType
from sync.city_settings import CitySettings, combine, read_city_settings, write_city_settings
from sync.pull import NotPulled
from sync.pull_wiring import Puller


@dataclass(frozen=True, slots=True)
class SettingsTaken:
    """`keys` are those whose value in force changed."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettingsRefused:
    """The former ones stay. `told` is False when this very refusal was a fact already."""

    detail: str
    told: bool = True


SettingsOutcome = SettingsTaken | SettingsRefused | NotPulled | None


def pull_settings(puller: Puller) -> SettingsOutcome:
    """None when the city offers what is in force. OSError when the disk takes nothing."""
    memory = puller.memory
    own = memory.data.own_settings()
    wanted = targets_for(own.text("node.profile"), own.node_code)
    found = puller.small(wanted, MAX_BYTES)
    if isinstance(found, NotPulled):
        return found
    digests = {name: hashlib.sha256(raw).hexdigest() for name, raw in found.items()}
    before = read_city_settings(memory.data.city_settings)
    if digests == before.targets:
        return None
    new = combine(found, digests)
    if isinstance(new, CitySettingsProblem):
        return _refused(puller, digests, str(new))
    keys = changed_keys(before, new)
    write_city_settings(memory.data.city_settings, new)
    _tell(puller, {"state": "applied", "targets": digests, "keys": list(keys), "cause": ""})
    return SettingsTaken(keys)


def changed_keys(before: CitySettings, new: CitySettings) -> tuple[str, ...]:
    """Names whose value from the city is another one, or came, or went."""
    names = sorted(before.values.keys() | new.values.keys())
    return tuple(n for n in names if before.values.get(n) != new.values.get(n))


def _refused(puller: Puller, digests: dict[str, str], detail: str) -> SettingsRefused:
    """A document that stays wrong is one fact, not one at every round."""
    mark = puller.memory.data.path / "tuf" / "settings.refused"
    seen = "\n".join(f"{digest} {name}" for name, digest in sorted(digests.items())) + "\n"
    if mark.exists() and mark.read_text() == seen:
        return SettingsRefused(detail, told=False)
    mark.write_text(seen)
    _tell(puller, {"state": "refused", "targets": digests, "keys": [], "cause": detail[:300]})
    return SettingsRefused(detail)


def _tell(puller: Puller, data: dict[str, Any]) -> None:
    """A full disk does not undo what is in force; the next change tells again."""
    puller.memory.ledger.record(FactDraft(FactType.NODE_CONFIGURED, data))
