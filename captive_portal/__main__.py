"""`python -m captive_portal`: the same as `plaza portal run`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from captive_portal.wiring import CannotStart, PortalOptions, run_portal
from municipio.settings import SettingsError


def main() -> int:
    """0 after an orderly stop, 1 with one clear line on stderr, 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog="python -m captive_portal", description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("PLAZA_DATA", "."))
    parser.add_argument("--listen", default="", metavar="ADDR:PORT")
    parser.add_argument("--gate", default="", choices=("", "memory", "nft"))
    parser.add_argument("--site", type=Path, help="the site's rules (TOML)")
    parser.add_argument("--public-url", default="")
    parser.add_argument("--frame-ancestor", default="")
    parser.add_argument("--threads", type=int, default=8)
    a = parser.parse_args()
    try:
        run_portal(
            PortalOptions(
                Path(a.data), a.listen, a.gate, a.public_url, a.frame_ancestor, a.threads, a.site
            )
        )
    except KeyboardInterrupt:
        return 0
    except (CannotStart, SettingsError, OSError, ValueError) as e:
        print(f"portal: {e}", file=sys.stderr)  # noqa: T201 - a command's one line of trouble
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
