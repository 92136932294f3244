"""Publishing a content folder as targets: every file, and the padrón also as what changed since before.

content/current.json              the version, and from which versions there is a delta
content/<version>/<file>.gz       each file of the folder
content/<version>/padron-from-<old>.gz
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from central.repository import RepositoryError, add_files, read_target, targets_of
from municipio.city_settings import (
    CitySettingsProblem,
    for_city,
    for_node,
    for_profile,
    read_layer,
)
from municipio.content import FILES, MANIFEST, SIGNATURE, version_key
from municipio.padron import PADRON
from municipio.settings import SettingValue
from municipio.wire.padron_delta import make_delta
from municipio.wire.pulled_content import (
    CURRENT,
    FILTER_LIST,
    ROLE,
    Current,
    encode_current,
    target_of,
)

KEPT = 4
"""Versions from which a node still gets a delta; one that slept longer fetches the padrón whole."""

OPTIONAL = ("technicians.json",)


def publish_content(repo: Path, keys: Path, folder: Path, at: datetime) -> Current:
    """Offer a content folder to every node. RepositoryError when it is no folder of content."""
    files = _read(folder)
    version = _version(files[MANIFEST])
    former = _former(repo, version)
    targets = {target_of(version, name): _pack(data) for name, data in files.items()}
    deltas = []
    for old in former:
        packed = read_target(repo, ROLE, target_of(old, PADRON))
        if packed is None:
            continue
        delta = make_delta(gzip.decompress(packed), files[PADRON], old, version)
        targets[target_of(version, f"padron-from-{old}")] = _pack(delta)
        deltas.append(old)
    current = Current(version, tuple(files), tuple(deltas))
    targets[CURRENT] = encode_current(current)
    keep = {version, *former}
    gone = [
        path for path in targets_of(repo, ROLE)
        if path != CURRENT and path.split("/")[1] not in keep
    ]  # fmt: skip
    add_files(repo, keys, ROLE, targets, at, forget=gone)
    return current


def publish_filter(repo: Path, keys: Path, file: Path, at: datetime) -> str:
    """Offer a compiled and signed list of names; returns its path in the repository."""
    add_files(repo, keys, "filter", {FILTER_LIST: _pack(file.read_bytes())}, at)
    return FILTER_LIST


def publish_settings(
    repo: Path, keys: Path, raw: bytes | None, at: datetime, *, profile: str = "", node: str = ""
) -> tuple[str, Mapping[str, SettingValue]]:
    """Offer settings for all nodes, a profile or one node; None withdraws them.

    Returns the path and what it sets. RepositoryError for what nodes would refuse.
    """
    try:
        path = for_node(node) if node else for_profile(profile) if profile else for_city()
    except ValueError as e:
        raise RepositoryError(str(e)) from e
    if raw is None:
        if path not in targets_of(repo, "settings"):
            raise RepositoryError(f"{path} is not offered")
        add_files(repo, keys, "settings", {}, at, forget=[path])
        return path, {}
    values = read_layer(raw)
    if isinstance(values, CitySettingsProblem):
        raise RepositoryError(f"nodes would refuse this: {values}")
    add_files(repo, keys, "settings", {path: raw}, at)
    return path, values


def _read(folder: Path) -> dict[str, bytes]:
    try:
        files = {name: (folder / name).read_bytes() for name in (MANIFEST, SIGNATURE, *FILES)}
        for name in OPTIONAL:
            if (folder / name).exists():
                files[name] = (folder / name).read_bytes()
    except OSError as e:
        raise RepositoryError(f"{e.filename}: {e.strerror}") from e
    return files


def _version(manifest: bytes) -> str:
    try:
        version = msgspec.json.decode(manifest)["version"]
        version_key(version)
    except (msgspec.MsgspecError, ValueError, TypeError, KeyError) as e:
        raise RepositoryError(f"{MANIFEST} names no version: {e}") from e
    return str(version)


def _former(repo: Path, version: str) -> list[str]:
    """The newest versions that are offered now, newest first. A version is published once."""
    offered = {path.split("/")[1] for path in targets_of(repo, ROLE) if path != CURRENT}
    if version in offered:
        raise RepositoryError(f"version {version} was published before; give the content a new one")
    newest = sorted(offered, key=version_key, reverse=True)
    if newest and version_key(version) < version_key(newest[0]):
        raise RepositoryError(f"version {version} is older than {newest[0]}, which nodes may have")
    return newest[:KEPT]


def _pack(data: bytes) -> bytes:
    """The same bytes always give the same bytes, so that a target's name does not change."""
    return gzip.compress(data, compresslevel=6, mtime=0)
