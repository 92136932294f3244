"""A checked `plaza.toml`: what one site is to be. Every key is present, defaults included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from municipio.site_file.keys import KEYS
from municipio.site_file.shape import STORED, Value


@dataclass(frozen=True, slots=True)
class SitePlan:
    """Values by `section.key`. A secret is never shown by `repr`."""

    values: Mapping[str, Value]

    def text(self, name: str) -> str:
        value = self.values[name]
        assert isinstance(value, str), f"{name} is not a text"
        return value

    def number(self, name: str) -> int:
        value = self.values[name]
        assert type(value) is int, f"{name} is not a number"
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.values[name]
        assert isinstance(value, tuple), f"{name} is not a list"
        return value

    @property
    def node_code(self) -> str:
        return f"{self.text('city.letters')}{self.number('site.number'):03d}"

    @property
    def has_kiosk(self) -> bool:
        return self.text("site.profile") != "portal"

    def secrets(self) -> dict[str, str]:
        """The secrets that the file says, by key; not those that the node holds already."""
        said = {k.name: self.text(k.name) for k in KEYS if k.is_secret}
        return {name: value for name, value in said.items() if value not in ("", STORED)}

    def stored(self) -> frozenset[str]:
        """The secrets that the file says this node holds already."""
        return frozenset(k.name for k in KEYS if k.is_secret and self.text(k.name) == STORED)

    def with_secrets(self, kept: Mapping[str, str]) -> SitePlan:
        """The same plan with the node's own copies in the places that say `STORED`."""
        return SitePlan({**self.values, **{n: kept[n] for n in self.stored() if n in kept}})

    def __repr__(self) -> str:
        shown = {n: "<oculto>" if n in self.secrets() else v for n, v in self.values.items()}
        return f"SitePlan({shown!r})"
