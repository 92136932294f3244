"""The repository of what nodes pull: TUF metadata over files, made with python-tuf (spec 1.0.31).

    REPO/metadata/N.root.json ... timestamp.json     REPO/targets/<path>/<sha256>.<name>

`root` and `targets` keys are used once a year and live in a safe; `online` signs snapshot and timestamp;
each delegated role signs its own folder: content, filter, settings, software. A node that knows the first
root believes every later one, never goes back, and notices when somebody freezes or mixes the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import StorageError
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import JSONSerializer

from central.files import keep_file, write_private

ROLES = ("content", "filter", "settings", "software")
"""Delegated roles; each may sign what lies under its own name and nothing else."""

EXPIRY = {
    "root": timedelta(days=5 * 365),
    "targets": timedelta(days=365),
    "role": timedelta(days=365),
    "snapshot": timedelta(days=90),
    "timestamp": timedelta(days=90),
}
_SERIALIZER = JSONSerializer(compact=True)


class RepositoryError(Exception):
    """The repository or a key of it cannot be used; the message is fit for a terminal."""


@dataclass(frozen=True, slots=True)
class Ceremony:
    """How many people hold a root key, and how many of them must agree."""

    root_keys: int = 1
    threshold: int = 1


def create_repository(repo: Path, keys: Path, ceremony: Ceremony, at: datetime) -> None:
    """Make keys and the first metadata. RepositoryError when there is a repository already."""
    if (repo / "metadata" / "1.root.json").exists():
        raise RepositoryError(f"{repo} already is a repository")
    if not 1 <= ceremony.threshold <= ceremony.root_keys <= 10:
        raise RepositoryError("the threshold is between 1 and the number of root keys (at most 10)")
    (repo / "metadata").mkdir(parents=True, exist_ok=True)
    (repo / "targets").mkdir(exist_ok=True)
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    holders = [_new_key(keys, f"root-{n}") for n in range(1, ceremony.root_keys + 1)]
    targets_key, online = _new_key(keys, "targets"), _new_key(keys, "online")
    root = Metadata(Root(version=1, expires=_until("root", at), consistent_snapshot=True))
    for holder in holders:
        root.signed.add_key(holder.public_key, "root")
    root.signed.roles["root"].threshold = ceremony.threshold
    root.signed.add_key(targets_key.public_key, "targets")
    for role in ("snapshot", "timestamp"):
        root.signed.add_key(online.public_key, role)
    _sign(root, holders)
    _store(repo, "1.root.json", root)
    _first_targets(repo, keys, targets_key, at)
    _publish_snapshot(repo, keys, {"targets": 1, **{role: 1 for role in ROLES}}, at)


def add_files(
    repo: Path, keys: Path, role: str, files: Mapping[str, bytes], at: datetime,
    forget: Sequence[str] = (), custom: Mapping[str, dict[str, Any]] | None = None,
) -> None:  # fmt: skip
    """Publish files under `role/`, sign them with its key, and renew snapshot and timestamp.

    Paths in `forget` are no longer offered; their bytes stay for nodes that are in the middle of it.
    `custom` is what is signed beside a file, by its path.
    """
    if role not in ROLES:
        raise RepositoryError(f"{role!r} is none of {', '.join(ROLES)}")
    signed = _load(repo, f"{_version_of(repo, role)}.{role}.json")
    targets = signed.signed
    for path, data in files.items():
        _check_path(role, path)
        target = TargetFile.from_data(path, data, ["sha256"])
        if custom is not None and path in custom:
            target.unrecognized_fields["custom"] = custom[path]
        targets.targets[path] = target
        keep_file(repo / "targets" / hashed_path(path, data), data)
    for path in forget:
        targets.targets.pop(path, None)
    targets.version += 1
    targets.expires = _until("role", at)
    _sign(signed, [_key(keys, role)])
    _store(repo, f"{targets.version}.{role}.json", signed)
    versions = _versions(repo)
    _publish_snapshot(repo, keys, versions | {role: targets.version}, at)


def refresh(repo: Path, keys: Path, at: datetime) -> None:
    """A new snapshot and timestamp of the same files: nodes learn that nothing is held back."""
    _publish_snapshot(repo, keys, _versions(repo), at)


def renew(repo: Path, keys: Path, which: str, at: datetime) -> None:
    """A new version of `root` or `targets` with a new expiry, signed by the keys that are in `keys`."""
    if which == "targets":
        top = _load(repo, f"{_version_of(repo, 'targets')}.targets.json")
        top.signed.version += 1
        top.signed.expires = _until("targets", at)
        _sign(top, [_key(keys, "targets")])
        _store(repo, f"{top.signed.version}.targets.json", top)
        versions = _versions(repo) | {"targets": top.signed.version}
        _publish_snapshot(repo, keys, versions, at)
        return
    newest = max(int(p.name.split(".")[0]) for p in (repo / "metadata").glob("*.root.json"))
    root = _load(repo, f"{newest}.root.json")
    holders = [_key(keys, p.stem) for p in sorted(keys.glob("root-*.key"))]
    wanted = root.signed.roles["root"].threshold
    if len(holders) < wanted:
        raise RepositoryError(f"{len(holders)} root keys are here, {wanted} must sign together")
    root.signed.version += 1
    root.signed.expires = _until("root", at)
    _sign(root, holders)
    _store(repo, f"{root.signed.version}.root.json", root)


def targets_of(repo: Path, role: str) -> tuple[str, ...]:
    """Paths that a role offers now."""
    return tuple(_load(repo, f"{_version_of(repo, role)}.{role}.json").signed.targets)


def read_target(repo: Path, role: str, path: str) -> bytes | None:
    """The bytes of a target that a role offers now, or None."""
    file = target_file(repo, role, path)
    try:
        return None if file is None else (repo / file).read_bytes()
    except OSError as e:
        raise RepositoryError(f"{path}: {e.strerror}") from e


def target_file(repo: Path, role: str, path: str) -> Path | None:
    """Where the bytes of a target lie that a role offers now, from the repository's folder."""
    targets = _load(repo, f"{_version_of(repo, role)}.{role}.json").signed.targets
    if path not in targets:
        return None
    digest = targets[path].hashes["sha256"]
    parts = PurePosixPath(path)
    return Path("targets") / parts.parent / f"{digest}.{parts.name}"


def custom_of(repo: Path, role: str) -> dict[str, dict[str, Any]]:
    """What is signed beside each file that a role offers now; empty for a file without."""
    targets = _load(repo, f"{_version_of(repo, role)}.{role}.json").signed.targets
    return {path: dict(target.custom or {}) for path, target in targets.items()}


def hashed_path(path: str, data: bytes) -> str:
    """Where a target's bytes lie: the name with its SHA-256 in front (TUF, consistent snapshots)."""
    parts = PurePosixPath(path)
    return str(parts.parent / f"{hashlib.sha256(data).hexdigest()}.{parts.name}")


def _first_targets(repo: Path, keys: Path, targets_key: CryptoSigner, at: datetime) -> None:
    signers = {role: _new_key(keys, role) for role in ROLES}
    delegations = Delegations(
        {s.public_key.keyid: s.public_key for s in signers.values()},
        {
            role: DelegatedRole(
                role, [s.public_key.keyid], 1, terminating=True, paths=[f"{role}/*", f"{role}/*/*"]
            )
            for role, s in signers.items()
        },
    )
    top = Metadata(Targets(version=1, expires=_until("targets", at), delegations=delegations))
    _sign(top, [targets_key])
    _store(repo, "1.targets.json", top)
    for role, signer in signers.items():
        empty = Metadata(Targets(version=1, expires=_until("role", at)))
        _sign(empty, [signer])
        _store(repo, f"1.{role}.json", empty)


def _publish_snapshot(repo: Path, keys: Path, versions: Mapping[str, int], at: datetime) -> None:
    """Timestamp last: until it is in place, nodes see the former state whole."""
    online = _key(keys, "online")
    meta = {f"{role}.json": MetaFile(version) for role, version in versions.items()}
    number = _snapshot_version(repo) + 1
    snapshot = Metadata(Snapshot(version=number, expires=_until("snapshot", at), meta=meta))
    _sign(snapshot, [online])
    _store(repo, f"{number}.snapshot.json", snapshot)
    former = _timestamp(repo)
    stamp = Timestamp(
        version=1 if former is None else former.version + 1,
        expires=_until("timestamp", at),
        snapshot_meta=MetaFile(number),
    )
    signed = Metadata(stamp)
    _sign(signed, [online])
    _store(repo, "timestamp.json", signed)


def _versions(repo: Path) -> dict[str, int]:
    snapshot = _load(repo, f"{_snapshot_version(repo)}.snapshot.json").signed
    return {name.removesuffix(".json"): meta.version for name, meta in snapshot.meta.items()}


def _version_of(repo: Path, role: str) -> int:
    return _versions(repo)[role]


def _timestamp(repo: Path) -> Timestamp | None:
    if not (repo / "metadata" / "timestamp.json").exists():
        return None
    signed = _load(repo, "timestamp.json").signed
    assert isinstance(signed, Timestamp)
    return signed


def _snapshot_version(repo: Path) -> int:
    stamp = _timestamp(repo)
    return 0 if stamp is None else int(stamp.snapshot_meta.version)


def _check_path(role: str, path: str) -> None:
    parts = PurePosixPath(path).parts
    if not 2 <= len(parts) <= 3 or parts[0] != role or ".." in parts or path.startswith("/"):
        raise RepositoryError(f"{path!r} is no path of {role}, such as {role}/name")


def _until(kind: str, at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0) + EXPIRY[kind]


def _sign(metadata: Metadata[Any], signers: Sequence[CryptoSigner]) -> None:
    metadata.signatures.clear()
    for signer in signers:
        metadata.sign(signer, append=True)


def _load(repo: Path, name: str) -> Metadata[Any]:
    try:
        return Metadata.from_file(str(repo / "metadata" / name))
    except (StorageError, DeserializationError) as e:
        raise RepositoryError(f"{repo}: {name} cannot be read: {e}") from e


def _store(repo: Path, name: str, metadata: Metadata[Any]) -> None:
    keep_file(repo / "metadata" / name, metadata.to_bytes(_SERIALIZER))


def _new_key(keys: Path, name: str) -> CryptoSigner:
    signer = CryptoSigner(Ed25519PrivateKey.generate())
    path = keys / f"{name}.key"
    try:
        write_private(path, signer.private_bytes)
    except FileExistsError as e:
        raise RepositoryError(f"{path} exists; a key is never replaced by accident") from e
    return signer


def _key(keys: Path, name: str) -> CryptoSigner:
    path = keys / f"{name}.key"
    try:
        private = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as e:
        raise RepositoryError(f"the key {path} is needed for this and cannot be used: {e}") from e
    if not isinstance(private, Ed25519PrivateKey):
        raise RepositoryError(f"{path} is not an Ed25519 key")
    return CryptoSigner(private)
