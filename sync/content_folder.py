"""Installing a content folder on a node: read it, believe it, build and swap; or change nothing."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from municipio.content import (
    FILES,
    MANIFEST,
    SIGNATURE,
    Content,
    ContentProblem,
    ContentTrouble,
    Manifest,
    Verify,
    read_content,
    read_manifest,
    version_key,
)
from municipio.padron import PADRON, read_padron
from municipio.wire.padron_delta import Delta
from sync.catalogue import SqliteCatalogue
from sync.catalogue_build import Built, Former, build_catalogue, remove_drafts

MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_PADRON_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Installed:
    """What a node now serves."""

    version: str
    created: date
    tramites: int
    accounts: int


def install_content(
    folder: Path,
    catalogue: Path,
    *,
    verify: Verify,
    inegi: str,
    allow_older: bool = False,
    with_padron: bool = True,
) -> Installed | ContentProblem:
    """Swap the catalogue for what `folder` holds, whole or not at all.

    `verify` knows the city's key; `inegi` is this node's municipality. Content older than the installed
    one is refused unless `allow_older`. A node without a kiosk takes no padrón (`with_padron` False): what
    is not on a card cannot be stolen with it. Two imports at once take turns.
    """
    try:
        with (catalogue.parent / f"{catalogue.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            remove_drafts(catalogue.parent)
            content = _believe(folder, catalogue, verify, inegi, allow_older)
            if isinstance(content, ContentProblem):
                return content
            return _build(catalogue, *content, with_padron=with_padron)
    except OSError as e:
        return ContentProblem(
            "", f"the catalogue cannot be written: {e}", ContentTrouble.NOT_STORED
        )


def install_delta(
    folder: Path, delta: Delta, catalogue: Path, *, verify: Verify, inegi: str
) -> Installed | ContentProblem:
    """Like `install_content` for a folder without its padrón, which comes as what changed.

    The caller believes the delta and knows that it starts from what `catalogue` holds.
    """
    try:
        with (catalogue.parent / f"{catalogue.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            remove_drafts(catalogue.parent)
            if installed_version(catalogue) != delta.header.start:
                return ContentProblem(PADRON, f"the delta starts from {delta.header.start}")
            content = _believe(folder, catalogue, verify, inegi, False, with_padron=False)
            if isinstance(content, ContentProblem):
                return content
            former = Former(catalogue, delta.gone, delta.header.accounts)
            built = build_catalogue(catalogue, content[0], read_padron(delta.rows), former)
            return built if isinstance(built, ContentProblem) else _installed(built, content[0])
    except OSError as e:
        return ContentProblem(
            "", f"the catalogue cannot be written: {e}", ContentTrouble.NOT_STORED
        )


def _believe(
    folder: Path,
    catalogue: Path,
    verify: Verify,
    inegi: str,
    allow_older: bool,
    *,
    with_padron: bool = True,
) -> tuple[Content, bytes] | ContentProblem:
    """The content, and the bytes of its padrón (none without `with_padron`)."""
    manifest = _manifest(folder, verify)
    if isinstance(manifest, ContentProblem):
        return manifest
    refusal = _unwanted(manifest, catalogue, inegi, allow_older)
    if refusal is not None:
        return refusal
    files: dict[str, bytes] = {PADRON: b""}
    for name in FILES:
        if name == PADRON and not with_padron:
            continue
        raw = _read(folder, name)
        if isinstance(raw, ContentProblem):
            return raw
        files[name] = raw
    content = read_content(manifest, files, with_padron=with_padron)
    if isinstance(content, ContentProblem):
        return content
    return content, files[PADRON]


def _build(
    catalogue: Path, content: Content, padron: bytes, *, with_padron: bool
) -> Installed | ContentProblem:
    rows = read_padron(padron) if with_padron else ()
    built = build_catalogue(catalogue, content, rows)
    if isinstance(built, ContentProblem):
        return built
    return _installed(built, content)


def _installed(built: Built, content: Content) -> Installed:
    return Installed(built.version, content.manifest.created, built.tramites, built.accounts)


def _manifest(folder: Path, verify: Verify) -> Manifest | ContentProblem:
    if not folder.is_dir():
        return ContentProblem("", f"{folder} is not a folder", ContentTrouble.MISSING)
    raw = _read(folder, MANIFEST)
    signature = _read(folder, SIGNATURE)
    if isinstance(raw, ContentProblem):
        return raw
    if isinstance(signature, ContentProblem):
        return signature
    return read_manifest(raw, signature, verify=verify)


def _unwanted(
    manifest: Manifest, catalogue: Path, inegi: str, allow_older: bool
) -> ContentProblem | None:
    if manifest.inegi != inegi:
        reason = f"it is content of municipality {manifest.inegi}; this node belongs to {inegi}"
        return ContentProblem(MANIFEST, reason, ContentTrouble.OTHER_CITY)
    installed = installed_version(catalogue)
    if allow_older or not installed or version_key(manifest.version) >= version_key(installed):
        return None
    reason = f"version {manifest.version} is older than the installed {installed}"
    return ContentProblem(MANIFEST, reason, ContentTrouble.OLDER)


def installed_version(catalogue: Path) -> str:
    """The version that `catalogue` holds; empty when there is none or it cannot be read."""
    reader = SqliteCatalogue(catalogue)
    try:
        return reader.content_version()
    finally:
        reader.close()


def _read(folder: Path, name: str) -> bytes | ContentProblem:
    path = folder / name
    limit = MAX_PADRON_BYTES if name == PADRON else MAX_FILE_BYTES
    try:
        if path.stat().st_size > limit:
            return ContentProblem(name, f"it is larger than {limit} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        return ContentProblem(name, "the file is missing", ContentTrouble.MISSING)
    except OSError as e:
        return ContentProblem(name, f"it cannot be read: {e.strerror}", ContentTrouble.MISSING)
