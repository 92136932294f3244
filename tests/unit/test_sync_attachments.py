from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pyrage
import pytest

from municipio.clock import Instant, TimeQuality
from municipio.facts import FactDraft, FactType, Lane, fact_hash
from municipio.usecases.ports import AttachmentRef, NotStored, NotStoredCause, Recorded
from municipio.wire.ack import Ack
from sync.attachments import AttachmentStore
from sync.ledger import SqliteLedger, open_ledger
from sync.outbox import Load, Outbox
from sync.sealing import AgeSealer
from sync.uploads import Uploads

PHOTO = b"sealed photo"


class Now:
    def now(self) -> Instant:
        return Instant(datetime(2026, 1, 20, tzinfo=UTC), TimeQuality.SYNCED, "boot", 1)


def put(store: AttachmentStore, sealed: bytes = PHOTO) -> AttachmentRef:
    ref = store.put(sealed, "image/jpeg")
    assert isinstance(ref, AttachmentRef)
    return ref


def test_a_stored_file_has_the_name_of_its_bytes(tmp_path: Path) -> None:
    store = AttachmentStore(tmp_path / "attachments")
    ref = put(store)
    assert ref.sha256 == hashlib.sha256(PHOTO).hexdigest()
    assert store.read(ref.sha256) == PHOTO
    assert [p.name for p in store.folder.iterdir()] == [ref.sha256]
    assert put(store) == ref


def test_a_damaged_file_is_not_read(tmp_path: Path) -> None:
    store = AttachmentStore(tmp_path)
    ref = put(store)
    (tmp_path / ref.sha256).write_bytes(b"sealed phot0")
    assert store.read(ref.sha256) is None


def test_photos_stop_before_the_disk_is_full(tmp_path: Path) -> None:
    small = AttachmentStore(tmp_path / "a", max_bytes=10)
    assert_refused(small.put(PHOTO, "image/jpeg"), NotStoredCause.TOO_LARGE)
    folder = AttachmentStore(tmp_path / "b", folder_bytes=20)
    put(folder)
    assert_refused(folder.put(b"another one", "image/jpeg"), NotStoredCause.FULL)
    disk = AttachmentStore(tmp_path / "c", free_bytes=2**60)
    assert_refused(disk.put(PHOTO, "image/jpeg"), NotStoredCause.FULL)
    (tmp_path / "d").write_bytes(b"a file where the folder should be")
    assert_refused(AttachmentStore(tmp_path / "d").put(PHOTO, "image/jpeg"), NotStoredCause.FAILED)


def assert_refused(answer: AttachmentRef | NotStored, cause: NotStoredCause) -> None:
    assert isinstance(answer, NotStored)
    assert answer.cause is cause


def test_what_no_fact_names_is_erased_at_the_second_sweep(tmp_path: Path) -> None:
    store = AttachmentStore(tmp_path)
    kept, orphan = put(store), put(store, b"orphan")
    assert store.sweep({kept.sha256}) == 0
    assert store.sweep({kept.sha256}) == 1
    assert store.read(orphan.sha256) is None
    assert store.read(kept.sha256) == PHOTO


@pytest.mark.parametrize(
    "listed",
    [
        "x",
        [{}],
        [{"sha256": "../../etc/passwd", "bytes": 1, "media_type": "image/jpeg"}],
        [{"sha256": "ab" * 32, "bytes": 0, "media_type": "image/jpeg"}],
        [{"sha256": "ab" * 32, "bytes": True, "media_type": "image/jpeg"}],
        [{"sha256": "ab" * 32, "bytes": 1, "media_type": "jpeg"}],
        [{"sha256": "ab" * 32, "bytes": 1, "media_type": "image/jpeg"}] * 9,
    ],
)
def test_a_fact_with_a_wrong_list_of_attachments_is_a_programmers_error(
    tmp_path: Path, listed: object
) -> None:
    ledger = opened(tmp_path)
    with pytest.raises(ValueError, match=r"attachment|sha256|media_type"):
        ledger.record(FactDraft(FactType.REPORT_FILED, {"attachments": listed}))
    assert isinstance(ledger.record(FactDraft(FactType.REPORT_FILED, {})), Recorded)
    ledger.close()


def opened(folder: Path) -> SqliteLedger:
    ledger = open_ledger(folder / "ledger.sqlite", Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    return ledger


def test_a_file_is_sealed_in_binary_for_its_office() -> None:
    office = pyrage.x25519.Identity.generate()
    sealed = AgeSealer(lambda _: (str(office.to_public()),)).seal_bytes("siac", b"\xff\xd8photo")
    assert sealed.startswith(b"age-encryption.org/v1")
    assert pyrage.decrypt(sealed, [office]) == b"\xff\xd8photo"


def test_a_photo_follows_its_report_into_another_chain(tmp_path: Path) -> None:
    """A copy of the card spoke first: the report travels inside another fact, its photo after that one."""
    ledger = open_ledger(tmp_path / "ledger.sqlite", Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    outbox, uploads = Outbox(ledger), Uploads(ledger, AttachmentStore(tmp_path / "attachments"))
    ref = put(uploads.store)
    draft = FactDraft(FactType.REPORT_FILED, {"attachments": [ref.document()]})
    assert isinstance(ledger.record(draft), Recorded)
    for epoch in (1, 2):  # and once more
        outbox.recover_unacked(Lane.REP, epoch, "other_future")
    load = outbox.load(Lane.REP, 3, 1, 10)
    assert isinstance(load, Load)
    assert uploads.ready() == ()
    outbox.apply_ack(Ack("COA007", 3, Lane.REP, 1, fact_hash(load.facts[0])))
    assert [file.sha256 for file in uploads.ready()] == [ref.sha256]
    ledger.close()
