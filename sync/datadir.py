"""Where a node keeps its things: one directory, the same for every program of the node."""

from __future__ import annotations

import tomllib
from pathlib import Path

from municipio.city_settings import lay_over
from municipio.settings import Settings, SettingsError, parse_settings
from sync.city_settings import read_city_settings
from sync.sharing import make_folder


class DataDir:
    """Names of everything under `--data DIR`. Making the object touches nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def settings_file(self) -> Path:
        return self.path / "settings.toml"

    @property
    def node_key(self) -> Path:
        return self.path / "keys" / "node.key"

    @property
    def node_pub(self) -> Path:
        return self.path / "keys" / "node.pub"

    @property
    def city_pub(self) -> Path:
        return self.path / "keys" / "city.pub"

    @property
    def ledger(self) -> Path:
        return self.path / "ledger.sqlite"

    @property
    def catalogue(self) -> Path:
        return self.path / "catalogue.sqlite"

    @property
    def attachments(self) -> Path:
        return self.path / "attachments"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def link_file(self) -> Path:
        return self.now / "link.json"

    @property
    def kept_link_file(self) -> Path:
        """Where the city's newest times survive a power cut."""
        return self.run / "link.json"

    @property
    def energy_file(self) -> Path:
        return self.run / "energy.json"

    @property
    def stick_file(self) -> Path:
        return self.run / "stick.json"

    @property
    def now(self) -> Path:
        """For what is true only of this moment and written all the time.

        The image mounts memory there, so that it never wears the card; elsewhere it is `run`.
        """
        folder = self.path / "now"
        return folder if folder.is_dir() else self.run

    @property
    def kiosk_file(self) -> Path:
        return self.now / "kiosk.json"

    @property
    def city_settings(self) -> Path:
        return self.path / "city-settings.json"

    def settings(self) -> Settings:
        """The place's settings with the city's over them. Raises SettingsError, naming the place's file.

        City's settings that cannot be read count as none: they must never stop a node.
        """
        return lay_over(self.own_settings(), read_city_settings(self.city_settings).values)

    def own_settings(self) -> Settings:
        """The place's alone, defaults if there is no file. Raises SettingsError, naming the file."""
        try:
            text = self.settings_file.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return parse_settings({})
        except (OSError, UnicodeDecodeError) as e:
            raise SettingsError(f"{self.settings_file}: {e}") from e
        try:
            return parse_settings(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, SettingsError) as e:
            raise SettingsError(f"{self.settings_file}: {e}") from e

    def create(self) -> None:
        """Make the directory and its folders; what exists stays as it is."""
        self.path.mkdir(parents=True, exist_ok=True)
        for folder in (self.node_key.parent, self.run, self.attachments):
            make_folder(folder)
