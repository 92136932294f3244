"""Publishing a city's content: a complete, signed folder or no folder at all."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from central.files import sync_folder, write_synced
from municipio.content import FILES, MANIFEST, SIGNATURE, encode_manifest, make_manifest


def write_content(
    directory: Path,
    files: Mapping[str, bytes],
    *,
    version: str,
    created: date,
    inegi: str,
    sign: Callable[[bytes], bytes],
) -> None:
    """Write a content folder; whoever looks at `directory` sees the old one or the new one, whole.

    `files` holds exactly the names of `municipio.content.FILES`; `version` is `YYYY-MM-DD.n`; `sign` is
    the city's Ed25519 signature over the manifest's RFC 8785 bytes. ValueError when the set is not complete;
    OSError from the disk. A folder that is replaced is removed after the new one is in place.
    """
    manifest = encode_manifest(make_manifest(files, version=version, created=created, inegi=inegi))
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        draft.chmod(0o755)
        for name in FILES:
            write_synced(draft / name, files[name])
        write_synced(draft / MANIFEST, manifest)
        write_synced(draft / SIGNATURE, base64.b64encode(sign(manifest)) + b"\n")
        sync_folder(draft)
        _swap(draft, directory)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _swap(draft: Path, directory: Path) -> None:
    """Two renames: POSIX has no exchange of non-empty folders that Python offers."""
    if not directory.exists():
        draft.rename(directory)
    else:
        old = Path(tempfile.mkdtemp(prefix=f".{directory.name}-old-", dir=directory.parent))
        directory.rename(old / "content")
        try:
            draft.rename(directory)
        except OSError:
            (old / "content").rename(directory)
            raise
        shutil.rmtree(old)
    sync_folder(directory.parent)
