"""The node's list: one file, replaced by rename, the last good one kept however old.

`DATA/filter/list.cdb` is what arrived from the city; `BASELINE` came with the image. Both are the city's
signed files. dnsdist notices another file only by a later modification time in whole seconds, therefore
a new file is always dated after the one that it replaces, whatever the node's clock says.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from captive_portal.filter.database import Facts, Unusable, check_database, open_database
from captive_portal.filter.signing import check_signature
from municipio.wire.keys import PublicKey

BASELINE = Path("/usr/share/plaza/filter/baseline.cdb")


@dataclass(frozen=True, slots=True)
class Serving:
    """The list in use and where it is."""

    path: Path
    facts: Facts
    is_baseline: bool


class ListStore:
    """`folder` is DATA/filter, written by one program and read by dnsdist and the portal."""

    def __init__(self, folder: Path, baseline: Path = BASELINE) -> None:
        self.folder = folder
        self.list_file = folder / "list.cdb"
        self.baseline = baseline

    @property
    def candidates(self) -> tuple[Path, Path]:
        """Files that may serve, in the order of preference."""
        return self.list_file, self.baseline

    def install(self, source: Path, public: PublicKey, *, older: bool = False) -> Facts | Unusable:
        """Check a signed file, keep a copy and make it the node's list, or leave all as it was.

        A list older than the one in use is refused unless `older`: an attacker may hold an old one.
        Raises OSError when the disk refuses.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self.folder / f".new-{os.getpid()}"
        try:
            shutil.copyfile(source, fresh)
            trouble = check_signature(fresh, public)
            facts = trouble or check_database(fresh)
            if isinstance(facts, Unusable):
                return Unusable(facts.detail.replace(str(fresh), str(source)))
            now = open_database(self.list_file)
            if not isinstance(now, Unusable):
                now.close()
                if facts.date < now.facts.date and not older:
                    return Unusable(f"{source} is of {facts.date}, before {now.facts.date} in use")
            self._swap(fresh)
            return facts
        finally:
            fresh.unlink(missing_ok=True)

    def serving(self) -> Serving | Unusable:
        """The list that answers now: the city's last one, else the image's; looks at their heads only."""
        details = []
        for path in self.candidates:
            found = open_database(path)
            if not isinstance(found, Unusable):
                found.close()
                return Serving(path, found.facts, path == self.baseline)
            details.append(found.detail)
        return Unusable("; ".join(details))

    def _swap(self, fresh: Path) -> None:
        fresh.chmod(0o644)
        try:
            before = int(self.list_file.stat().st_mtime)
        except FileNotFoundError:
            before = 0
        stamp = max(int(time.time()), before + 1)
        os.utime(fresh, (stamp, stamp))
        with fresh.open("rb") as stream:
            os.fsync(stream.fileno())
        fresh.replace(self.list_file)
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
