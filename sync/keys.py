"""Key files of a node: its own Ed25519 key, made once and never overwritten, and the city's."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from municipio.wire.keys import KeyFormatError, PublicKey, key_id, load_public, public_pem
from sync.datadir import DataDir
from sync.sharing import is_shared


@dataclass(frozen=True, slots=True)
class KeyMissing:
    """A key file that is not there or cannot be used; `detail` names the file and what to do."""

    detail: str


class NodeKey:
    """The node's private key. Implements `municipio.usecases.ports.Signer`."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public: PublicKey = private.public_key()
        self.id = key_id(self.public)

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    @classmethod
    def create(cls, data: DataDir) -> NodeKey:
        """Make a new key, private part readable by its owner only. FileExistsError if one is there."""
        private = Ed25519PrivateKey.generate()
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_new(data.node_key, pem, 0o600)
        if is_shared(data.node_key.parent):
            data.node_key.chmod(0o640)
        key = cls(private)
        key.write_public(data)
        return key

    def write_public(self, data: DataDir) -> None:
        """The public part beside the key; a power cut may have come between the two. Raises OSError."""
        data.node_pub.unlink(missing_ok=True)
        write_new(data.node_pub, public_pem(self.public), 0o644)

    @classmethod
    def load(cls, data: DataDir) -> NodeKey | KeyMissing:
        try:
            private = load_pem_private_key(data.node_key.read_bytes(), None)
        except FileNotFoundError:
            return KeyMissing(f"{data.node_key} is missing: run `plaza node init` first")
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as e:
            return KeyMissing(f"{data.node_key} is not a private key that can be used: {e}")
        if not isinstance(private, Ed25519PrivateKey):
            return KeyMissing(f"{data.node_key} is not an Ed25519 key")
        return cls(private)


def load_city_key(data: DataDir) -> PublicKey | KeyMissing:
    """The key that every answer of the city must be signed with."""
    try:
        return load_public(data.city_pub.read_bytes())
    except FileNotFoundError:
        return KeyMissing(f"{data.city_pub} is missing: run `plaza node init --city-key FILE`")
    except (OSError, KeyFormatError) as e:
        return KeyMissing(f"{data.city_pub}: {e}")


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that does not exist yet and put it on disk, whole or not. FileExistsError otherwise."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)
    except FileExistsError as e:
        raise FileExistsError(e.errno, e.strerror, str(path)) from None
    finally:
        part.unlink()
