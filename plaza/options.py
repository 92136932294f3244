"""Options that many commands of `plaza` have, each with one name, one meaning and one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any] | click.Command)


def _data(
    *, exists: bool = False, help: str = "Data directory of the node.", **more: Any
) -> Callable[[F], F]:
    kind = click.Path(path_type=Path, file_okay=False, exists=exists)
    return click.option("--data", type=kind, envvar="PLAZA_DATA", help=help, **more)


data_option = _data(required=True)
existing_data_option = _data(required=True, exists=True)
data_or_here_option = _data(default=".", show_default=True)
"""For programs that a technician tries in the folder where the files are."""
optional_data_option = _data(help="Data directory of the node, for its settings.")

json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON document for machines."
)
