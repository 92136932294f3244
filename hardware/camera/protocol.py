"""What the camera's process said, as a state and a cause. Sans-IO."""

from __future__ import annotations

from enum import StrEnum

from hardware.camera.limits import Exit
from hardware.programs import Finished, ProgramCause, ProgramProblem
from municipio.devices import DeviceState, DeviceStatus


class CameraCause(StrEnum):
    NO_CAMERA = "no_camera"
    NO_PROGRAM = "no_program"
    FAILED = "failed"
    """The program ended without a picture."""
    NO_ANSWER = "no_answer"
    """It did not end in time."""
    TOO_BIG = "too_big"
    NOT_A_PICTURE = "not_a_picture"
    SETTINGS = "settings"


_CAUSES = {
    Exit.NO_PROGRAM: CameraCause.NO_PROGRAM,
    Exit.FAILED: CameraCause.FAILED,
    Exit.TIMEOUT: CameraCause.NO_ANSWER,
    Exit.TOO_BIG: CameraCause.TOO_BIG,
    Exit.NOT_A_PICTURE: CameraCause.NOT_A_PICTURE,
}

_STATES = {
    CameraCause.NO_CAMERA: DeviceState.ABSENT,
    CameraCause.NO_PROGRAM: DeviceState.FAULT,
    CameraCause.SETTINGS: DeviceState.FAULT,
    CameraCause.NO_ANSWER: DeviceState.UNKNOWN,
}


def status_of(cause: CameraCause | None) -> DeviceStatus:
    """A camera that failed once may work the next time: that is attention, not fault."""
    if cause is None:
        return DeviceStatus(DeviceState.READY)
    return DeviceStatus(_STATES.get(cause, DeviceState.ATTENTION), cause)


def outcome(result: Finished | ProgramProblem) -> bytes | CameraCause | None:
    """The picture, why there is none, or None when nobody wants it any more."""
    if isinstance(result, ProgramProblem):
        causes = {
            ProgramCause.MISSING: CameraCause.NO_PROGRAM,
            ProgramCause.TIMEOUT: CameraCause.NO_ANSWER,
            ProgramCause.TOO_MUCH: CameraCause.TOO_BIG,
        }
        return causes.get(result.cause)
    if result.code == Exit.PICTURE and result.output:
        return result.output
    known = result.code in set(Exit) - {Exit.PICTURE}
    return _CAUSES[Exit(result.code)] if known else CameraCause.FAILED
