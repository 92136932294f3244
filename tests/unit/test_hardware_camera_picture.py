"""A picture from a camera is made harmless, and whatever is no picture is refused."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hardware.camera.driver import CameraPlan
from hardware.camera.limits import CLEAN_MAX, RAW_MAX, SIDE_MAX, Exit
from hardware.camera.picture import PictureTrouble, clean
from hardware.camera.programs import PROGRAMS
from hardware.camera.protocol import CameraCause, outcome, status_of
from hardware.camera.simulated_program import NOTE, draw_picture
from hardware.programs import Finished, ProgramCause, ProgramProblem
from municipio.devices import DeviceState
from municipio.settings import SETTINGS

PICTURE = draw_picture(640, 480)


def test_a_picture_leaves_without_place_maker_or_any_tag() -> None:
    made = clean(PICTURE)

    assert NOTE.encode() in PICTURE
    assert isinstance(made, bytes)
    assert NOTE.encode() not in made
    assert b"Exif" not in made
    with Image.open(io.BytesIO(made)) as image:
        assert image.size == (640, 480)
        assert not image.getexif()


def test_a_picture_that_lies_on_its_side_is_turned_upright() -> None:
    tags = Image.Exif()
    tags[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (640, 200)).save(buffer, "JPEG", exif=tags)
    made = clean(buffer.getvalue())

    assert isinstance(made, bytes)
    with Image.open(io.BytesIO(made)) as image:
        assert image.size == (200, 640)


def test_a_noisy_picture_is_pressed_until_it_is_small_enough() -> None:
    noise = Image.effect_noise((1600, 1200), 120).convert("RGB")
    buffer = io.BytesIO()
    noise.save(buffer, "JPEG", quality=98)
    made = clean(buffer.getvalue())

    assert buffer.tell() > CLEAN_MAX
    assert isinstance(made, bytes)
    assert len(made) <= CLEAN_MAX


def other_format() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (10, 10)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("raw", "trouble"),
    [
        (b"", PictureTrouble.NOT_A_PICTURE),
        (b"no camera was found\n", PictureTrouble.NOT_A_PICTURE),
        (PICTURE[: len(PICTURE) // 3], PictureTrouble.NOT_A_PICTURE),
        (other_format(), PictureTrouble.NOT_A_PICTURE),
        (draw_picture(SIDE_MAX + 1, 100), PictureTrouble.TOO_BIG),
        (b"\xff\xd8" + b"x" * RAW_MAX, PictureTrouble.TOO_BIG),
    ],
)
def test_what_is_no_picture_of_ours_is_refused(raw: bytes, trouble: PictureTrouble) -> None:
    assert clean(raw) is trouble


@settings(max_examples=100)
@given(st.integers(0, len(PICTURE) - 1), st.integers(0, 255))
def test_no_changed_byte_breaks_it(at: int, byte: int) -> None:
    made = clean(PICTURE[:at] + bytes([byte]) + PICTURE[at + 1 :])

    assert isinstance(made, bytes | PictureTrouble)
    assert not isinstance(made, bytes) or b"Exif" not in made


def test_every_end_of_the_process_is_a_picture_or_a_cause() -> None:
    for code in range(-20, 256):
        told = outcome(Finished(code, b"x"))
        assert told == b"x" if code == 0 else isinstance(told, CameraCause)
    assert outcome(Finished(0, b"")) is CameraCause.FAILED
    assert outcome(ProgramProblem(ProgramCause.STOPPED)) is None
    assert {outcome(Finished(e, b"")) for e in Exit if e} <= set(CameraCause)


def test_every_cause_is_a_state_that_is_not_ready() -> None:
    assert all(status_of(c).state is not DeviceState.READY for c in CameraCause)
    assert status_of(None).state is DeviceState.READY


def test_the_settings_offer_exactly_the_programs_of_the_list() -> None:
    choices = next(s.choices for s in SETTINGS if s.name == "camera.program")

    assert set(choices) == set(PROGRAMS)


@pytest.mark.parametrize("name", ["rpicam-still", "libcamera-still", "fswebcam"])
def test_a_program_writes_to_its_output_and_never_to_a_file(name: str) -> None:
    argv = PROGRAMS[name]("/usr/bin", "/dev/video0", 1280, 960)

    assert argv[0] == f"/usr/bin/{name}"
    assert argv[-1] == "-"


@pytest.mark.parametrize(
    ("program", "port", "width"),
    [("sh", "/dev/video0", 640), ("fswebcam", "--exec", 640), ("fswebcam", "/dev/video0", 1),
     ("fswebcam", "", 640), ("fswebcam", "/dev/video0", 99999)],
)  # fmt: skip
def test_a_plan_that_may_not_be_run_is_told_apart(program: str, port: str, width: int) -> None:
    assert not CameraPlan(program, port, width).is_usable
    assert CameraPlan("fswebcam", "/dev/video0", 640).is_usable
