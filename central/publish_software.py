"""Publishing updates: a bundle with what is signed beside it, the list of those on offer, and mirrors."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path, PurePosixPath

from central.repository import (
    RepositoryError,
    add_files,
    target_file,
    targets_of,
)
from municipio.wire.software import (
    MAX_BUNDLE_BYTES,
    MAX_OFFERED,
    ROLE,
    Bundle,
    SoftwareProblem,
    bundle_target,
    decode_custom,
    encode_custom,
    encode_index,
    index_of,
    version_key,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the publisher says of a bundle; the rest is read from the file."""

    version: str
    board: str
    ledger_schema: int
    min_ledger_schema: int = 1
    ring: int = 9
    not_before: date | None = None
    goes_back: bool = False


def publish_software(repo: Path, keys: Path, file: Path, offer: Offer, at: datetime) -> str:
    """Offer a bundle; returns its path. A version is published once for a board."""
    try:
        path = bundle_target(offer.board, offer.version)
    except ValueError as e:
        raise RepositoryError(str(e)) from e
    offered = on_offer(repo, offer.board)
    if path in offered:
        raise RepositoryError(
            f"{offer.version} was published before; give the bundle a new version"
        )
    size = file.stat().st_size
    if not 0 < size <= MAX_BUNDLE_BYTES:
        raise RepositoryError(f"{file}: {size} bytes is no size of an update")
    bundle = _described(offer, path, size)
    newest = sorted([path, *offered], key=lambda p: version_key(_version(p)), reverse=True)
    kept, gone = newest[:MAX_OFFERED], newest[MAX_OFFERED:]
    if path in gone:
        raise RepositoryError(f"{offer.version} is older than the {MAX_OFFERED} that are on offer")
    files = {path: file.read_bytes(), index_of(offer.board): encode_index(kept)}
    custom = {path: encode_custom(bundle)}
    add_files(repo, keys, ROLE, files, at, forget=gone, custom=custom)
    return path


def on_offer(repo: Path, board: str) -> list[str]:
    """Paths of the bundles that are offered for a board now."""
    folder, index = f"{ROLE}/{board}/", index_of(board)
    return [p for p in targets_of(repo, ROLE) if p.startswith(folder) and p != index]


def mirror(
    repo: Path, folder: Path, roles: Sequence[str], boards: Sequence[str] = ()
) -> tuple[int, int]:
    """Copy metadata and the files that `roles` offer; (files, bytes) copied. Boards: all when empty."""
    count = size = 0
    wanted = [p.relative_to(repo) for p in sorted((repo / "metadata").glob("*.json"))]
    for role in roles:
        for path in targets_of(repo, role):
            if role == ROLE and boards and PurePosixPath(path).parts[1] not in boards:
                continue
            file = target_file(repo, role, path)
            assert file is not None, "it is on offer"
            wanted.append(file)
    for name in wanted:
        source, target = repo / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.parts[0] == "targets" and target.exists() and _same_size(source, target):
            continue
        part = target.with_name(f".{target.name}.part")
        shutil.copyfile(source, part)
        part.replace(target)
        count, size = count + 1, size + source.stat().st_size
    return count, size


def _same_size(one: Path, other: Path) -> bool:
    return one.stat().st_size == other.stat().st_size


def _described(offer: Offer, path: str, size: int) -> Bundle:
    """RepositoryError for what no node would take."""
    bundle = Bundle(
        offer.version, offer.board, offer.ledger_schema, offer.min_ledger_schema, offer.ring,
        offer.not_before, offer.goes_back, path, size, "",
    )  # fmt: skip
    found = decode_custom(encode_custom(bundle), path, size, "")
    if isinstance(found, SoftwareProblem):
        raise RepositoryError(found.detail)
    return bundle


def _version(path: str) -> str:
    """The version in a bundle's path."""
    name = PurePosixPath(path)
    return name.name.removeprefix(f"plaza-{name.parent.name}-").removesuffix(".raucb")
