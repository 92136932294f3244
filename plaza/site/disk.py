"""The three places on real disks. Every file is replaced whole and is on the disk before a step ends."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from municipio.site_code import SALT_BYTES
from plaza.site.found import ERROR_NAME, NEW_NAME, SITE_NAME, looks_like_site
from plaza.site.planner import LAST_GOOD, SECRETS, SITE_CODE_FILE
from plaza.site.steps import Blank, MakeKey, Place, Remove, Seen, Step, Write
from sync.datadir import DataDir
from sync.keys import KeyMissing, NodeKey
from sync.sharing import is_shared, make_folder
from sync.stick_files import plain_names, read_plain
from sync.whole_file import fsync

MAX_READ = 256 * 1024


class NodeDisk:
    """`system` is `/data/system` of an image. OSError comes out of every method."""

    def __init__(self, boot: Path, data: Path, system: Path) -> None:
        self._roots = {Place.BOOT: boot, Place.DATA: data, Place.SYSTEM: system}
        self._data = DataDir(data)

    def look(self) -> Seen:
        boot = self._roots[Place.BOOT]
        names = [n for n in plain_names(boot) if looks_like_site(n) or n == ERROR_NAME]
        return Seen(
            boot={n: self._read(Place.BOOT, n) for n in names},
            settings=self._text("settings.toml"),
            rules=self._text("site.toml"),
            last_good=self._read(Place.SYSTEM, LAST_GOOD),
            secrets=self._read(Place.SYSTEM, SECRETS),
            site_code=self._read(Place.DATA, SITE_CODE_FILE),
            city_key=self._read(Place.DATA, "keys/city.pub"),
            has_ledger=self._data.ledger.exists(),
            salt=secrets.token_bytes(SALT_BYTES),
            data=str(self._roots[Place.DATA]),
        )

    def do(self, step: Step) -> bool:
        """One step; False when there was nothing to do."""
        match step:
            case Write(place, name, content, mode, owner):
                return self._write(place, name, content, mode, owner)
            case Remove(place, name):
                return self._remove(place, name)
            case Blank(name, content):
                return self._blank(name, content)
            case MakeKey():
                return self._make_key()

    def _read(self, place: Place, name: str) -> bytes:
        return read_plain(self._roots[place] / name, MAX_READ) or b""

    def _text(self, name: str) -> str:
        """Without the mark that an editor of Windows may have put before it."""
        return self._read(Place.DATA, name).decode("utf-8-sig", "replace")

    def _write(self, place: Place, name: str, content: bytes, mode: int, owner: str) -> bool:
        target = self._roots[place] / name
        if read_plain(target, MAX_READ) == content:
            return False
        with self._open(place):
            self._folder(place, target.parent)
            if place is Place.BOOT:  # FAT knows no modes
                mode = 0
            _replace(target, content, mode, owner, shared=place is Place.DATA)
        return True

    def _folder(self, place: Place, folder: Path) -> None:
        if place is Place.SYSTEM:
            _open_folder(folder)
        elif place is Place.DATA:
            self._data.path.mkdir(parents=True, exist_ok=True)
            make_folder(folder)

    def _remove(self, place: Place, name: str) -> bool:
        target = self._roots[place] / name
        if not os.path.lexists(target):
            return False
        with self._open(place):
            target.unlink()
            fsync(target.parent)
        return True

    def _blank(self, name: str, content: bytes) -> bool:
        target = self._roots[Place.BOOT] / name
        if read_plain(target, MAX_READ) == content:
            return False
        with self._open(Place.BOOT):
            fresh = target.with_name(NEW_NAME)
            # After a cut it may be the only whole copy: one that is right is never written again.
            if read_plain(fresh, MAX_READ) != content:
                _fill(fresh, content, 0o644)
            for old in [n for n in plain_names(target.parent) if looks_like_site(n)]:
                if old != NEW_NAME and (name == SITE_NAME or old == name):
                    _zero(target.with_name(old))
            fresh.replace(target)
            fsync(target.parent)
        return True

    def _make_key(self) -> bool:
        self._data.create()
        key = NodeKey.load(self._data)
        if not isinstance(key, KeyMissing):
            if self._data.node_pub.exists():
                return False
            key.write_public(self._data)
            return True
        # Only what a power cut left half-written can be here; a key that ever signed is whole.
        if self._data.node_key.exists() and self._data.ledger.exists():
            raise OSError(errno.EIO, "the node's key is damaged", str(self._data.node_key))
        self._data.node_key.unlink(missing_ok=True)
        NodeKey.create(self._data)
        return True

    @contextlib.contextmanager
    def _open(self, place: Place) -> Iterator[None]:
        """The boot partition is writable only in here."""
        root = self._roots[place]
        read_only = place is Place.BOOT and bool(os.statvfs(root).f_flag & os.ST_RDONLY)
        if read_only:
            _remount(root, "rw")
        try:
            yield
        finally:
            if read_only:
                _remount(root, "ro")


def _open_folder(folder: Path) -> None:
    """Whatever the umask: systemd-networkd is a user of its own and must find its file."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    for one in reversed(missing):
        one.mkdir()
        one.chmod(0o755)


def _replace(target: Path, content: bytes, mode: int, owner: str, *, shared: bool) -> None:
    part = target.with_name(f".{target.name}.part")
    _fill(part, content, mode or 0o644)
    if mode:
        part.chmod(mode if shared and is_shared(target.parent) else mode & 0o644)
    if owner and os.geteuid() == 0:
        with contextlib.suppress(LookupError):  # a host without our users
            shutil.chown(part, user=owner)
    part.replace(target)
    fsync(target.parent)


def _fill(path: Path, content: bytes, mode: int) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _zero(path: Path) -> None:
    """Overwrite in place: what a card's own wear levelling keeps elsewhere is out of reach."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())


def _remount(root: Path, how: str) -> None:
    done = subprocess.run(
        ["mount", "-o", f"remount,{how}", str(root)], capture_output=True, timeout=30, check=False
    )
    if done.returncode and how == "rw":
        raise OSError(errno.EROFS, "cannot be made writable", str(root))
