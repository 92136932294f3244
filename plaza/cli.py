"""The `plaza` command: one door to every program of a node.

Each verb lives in `plaza/commands/<verb>.py` and is imported only when it is called, so that
`plaza sync status` does not pay for the kiosk. Exit codes: 0 ok, 1 trouble, 2 usage.
"""

from __future__ import annotations

import importlib
import pkgutil

import click

from plaza import commands


class LazyGroup(click.Group):
    """A click group whose commands are the modules of `plaza.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(importlib.import_module(f"plaza.commands.{name}"), name)
        assert isinstance(command, click.Command), f"plaza.commands.{cmd_name} has no command"
        return command


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="plaza")
def main() -> None:
    """Plaza: kiosk, public Wi-Fi and the queue that reaches the city."""


if __name__ == "__main__":
    main()
