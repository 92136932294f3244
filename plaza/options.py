"""Options that many commands of `plaza` have, each with one name, one meaning and one sentence."""

from __future__ import annotations

from pathlib import Path

import click

_HELP = "Data directory of the node."
_VARIABLE = "PLAZA_DATA"

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=_VARIABLE,
    required=True,
    help=_HELP,
)
existing_data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    envvar=_VARIABLE,
    required=True,
    help=_HELP,
)
data_or_here_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=_VARIABLE,
    default=".",
    show_default=True,
    help=_HELP,
)
"""For programs that a technician tries in the folder where the files are."""
optional_data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=_VARIABLE,
    help="Data directory of the node, for its settings.",
)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON document for machines."
)
