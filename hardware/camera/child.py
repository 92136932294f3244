"""`python -P -m hardware.camera.child PROGRAM FOLDER PORT WIDTH HEIGHT`: the camera's own process.

It runs one program of the list, cleans what that gives, and writes one picture to its output. A crash of
a decoder, or all the memory it can ask for, ends here and not in the kiosk. Exit codes are `limits.Exit`.
"""

from __future__ import annotations

import resource
import sys

from hardware.camera.limits import CAPTURE_S, CPU_S, MEMORY, RAW_MAX, Exit
from hardware.camera.picture import PictureTrouble, clean
from hardware.camera.programs import PROGRAMS
from hardware.programs import Finished, ProgramCause, run_program


def main(argv: list[str]) -> int:
    program, folder, port, width, height = argv
    taken = run_program(
        PROGRAMS[program](folder, port, int(width), int(height)),
        timeout_s=CAPTURE_S,
        output_max=RAW_MAX,
        own_session=False,
    )
    if not isinstance(taken, Finished):
        exits = {
            ProgramCause.MISSING: Exit.NO_PROGRAM,
            ProgramCause.TOO_MUCH: Exit.TOO_BIG,
        }
        return exits.get(taken.cause, Exit.TIMEOUT)
    if taken.code != 0:
        return Exit.FAILED
    _limit()
    picture = clean(taken.output)
    if isinstance(picture, PictureTrouble):
        return Exit.TOO_BIG if picture is PictureTrouble.TOO_BIG else Exit.NOT_A_PICTURE
    sys.stdout.buffer.write(picture)
    return Exit.PICTURE


def _limit() -> None:
    """From here on a decoder works: on little, for a short time, and it writes no file."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
