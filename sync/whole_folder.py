"""A content folder with what may lie beside the content: the signed list of technicians.

The list is checked before anything is installed, so a forged one refuses the whole folder; it carries its
own signature and serial, so an older one beside newer content is only left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from municipio.content import ContentProblem, ContentTrouble
from municipio.wire.keys import PublicKey, verify
from municipio.wire.padron_delta import Delta
from municipio.wire.technician_list import MAX_LIST_BYTES, ListProblem, ListTrouble
from sync.allow_list import LIST_NAME, check_list, list_file, store_list
from sync.content_folder import Installed, install_content, install_delta
from sync.datadir import DataDir

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class NodeContent:
    """Where content goes on this node, and whom it believes. `tell` is given what is worth a line."""

    data: DataDir
    city: PublicKey
    inegi: str
    with_padron: bool
    tell: Tell

    def install(self, folder: Path, *, allow_older: bool = False) -> Installed | ContentProblem:
        return self._with_list(
            folder,
            lambda: install_content(
                folder,
                self.data.catalogue,
                verify=partial(verify, self.city),
                inegi=self.inegi,
                allow_older=allow_older,
                with_padron=self.with_padron,
            ),
        )

    def install_delta(self, folder: Path, delta: Delta) -> Installed | ContentProblem:
        """For a folder without padrón; only on a node that keeps one."""
        if not self.with_padron:
            return self.install(folder)
        check = partial(verify, self.city)
        catalogue, inegi = self.data.catalogue, self.inegi
        return self._with_list(
            folder, lambda: install_delta(folder, delta, catalogue, verify=check, inegi=inegi)
        )

    def _with_list(
        self, folder: Path, install: Callable[[], Installed | ContentProblem]
    ) -> Installed | ContentProblem:
        listed = self._listed(folder)
        if isinstance(listed, ContentProblem):
            return listed
        done = install()
        if isinstance(done, ContentProblem) or listed is None:
            return done
        try:
            store_list(self.data, listed)
        except OSError as e:
            reason = f"{list_file(self.data)}: {e.strerror}"
            return ContentProblem(LIST_NAME, reason, ContentTrouble.NOT_STORED)
        return done

    def _listed(self, folder: Path) -> bytes | ContentProblem | None:
        """The list that may lie in the folder, checked; None without one to install."""
        try:
            with (folder / LIST_NAME).open("rb") as file:
                raw = file.read(MAX_LIST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as e:
            return ContentProblem(LIST_NAME, f"it cannot be read: {e.strerror}")
        listed = check_list(self.data, raw, self.city, self.inegi)
        if not isinstance(listed, ListProblem):
            return raw
        if listed.trouble is ListTrouble.OLDER:
            self.tell(f"{LIST_NAME}: {listed.detail}; the installed list stays")
            return None
        return ContentProblem(LIST_NAME, f"{listed.trouble.value}: {listed.detail}".rstrip(": "))
