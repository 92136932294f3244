"""A throw-away PostgreSQL from Debian's packages: for tests, figures, and to try a backup.

It listens on a Unix socket in a temporary directory, trusts whoever can reach that, and is gone with
everything in it at the end. Root cannot run PostgreSQL, so root runs it as Debian's user `postgres`.
"""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class NoPostgres(Exception):
    """Debian's PostgreSQL is not installed."""


@contextmanager
def trial_postgres(settings: Sequence[str] = ()) -> Iterator[str]:
    """Yields a URL with `{database}` to be filled in; `postgres` always exists.

    `settings` are `name=value`, such as `fsync=off` where nothing has to survive. Raises NoPostgres.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise NoPostgres("install Debian's postgresql")
    home = Path(tempfile.mkdtemp(prefix="plaza-pg-"))
    as_user: list[str | Path] = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(home, "postgres", "postgres")
    binaries, data = found[-1].parent, home / "data"
    user = "postgres" if as_user else getpass.getuser()
    init = [
        *as_user,
        binaries / "initdb",
        "-D",
        data,
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
        "-U",
        user,
    ]
    control = [*as_user, binaries / "pg_ctl", "-D", data]
    wanted = ("listen_addresses=''", f"unix_socket_directories={home}", *settings)
    options = " ".join(f"-c {setting}" for setting in wanted)
    try:
        subprocess.run(init, check=True, capture_output=True, cwd="/")
        start = [*control, "-w", "-l", home / "log", "-o", options, "start"]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL, cwd="/")
        try:
            yield f"postgresql://{user}@/{{database}}?host={home}"
        finally:
            stop = [*control, "-m", "immediate", "stop"]
            subprocess.run(stop, check=True, stdout=subprocess.DEVNULL, cwd="/")
    finally:
        shutil.rmtree(home, ignore_errors=True)
