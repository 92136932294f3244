"""The padrón on the card: a row is found by a keyed hash of its clave, and opened with the clave alone.

Who copies `catalogue.sqlite` learns how many properties there are and nothing else. Who takes the whole
card also has the site's secret and can try claves one after the other: there are few enough for that,
and no arrangement on the card prevents it. So a row holds only what the screen may show (masked initials,
street, debt), and the card gives no list of claves to start from.

Row key: HMAC-SHA256(secret, "row" and clave), 16 bytes. Row: ChaCha20-Poly1305 (RFC 8439) under
HMAC-SHA256(secret, "key" and clave), with a random nonce in front and the row key as associated data.
"""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from municipio.padron import PadronRow
from municipio.predial import Account, SignedLiquidacion, decode_liquidacion
from sync.keys import write_new
from sync.sharing import file_mode, make_folder, settle_file

SECRET_BYTES = 32
ROW_KEY_BYTES = 16
_NONCE_BYTES = 12


class _Sealed(msgspec.Struct, array_like=True):
    """What is inside a row; the order of these members is the format."""

    clave: str
    owner_masked: str
    street: str
    colonia: str
    kind: str
    benefit: str
    payload: bytes | None
    signature: bytes | None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Sealed)


@dataclass(frozen=True, slots=True)
class PadronVault:
    """`secret` is the site's own 32 bytes."""

    secret: bytes

    def row_key(self, clave: str) -> bytes:
        return self._derive(b"row", clave)[:ROW_KEY_BYTES]

    def seal(self, row: PadronRow) -> tuple[bytes, bytes]:
        """(row key, sealed row)."""
        account, signed = row.account, row.liquidacion
        plain = _ENCODER.encode(
            _Sealed(
                account.clave,
                account.owner_masked,
                account.street,
                account.colonia,
                account.kind,
                account.benefit,
                None if signed is None else signed.payload,
                None if signed is None else signed.signature,
            )
        )
        name, nonce = self.row_key(account.clave), os.urandom(_NONCE_BYTES)
        cipher = ChaCha20Poly1305(self._derive(b"key", account.clave))
        return name, nonce + cipher.encrypt(nonce, plain, name)

    def open(self, clave: str, sealed: bytes) -> PadronRow | None:
        """None when the row is not this clave's, or was changed on the card."""
        cipher = ChaCha20Poly1305(self._derive(b"key", clave))
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            found = _DECODER.decode(cipher.decrypt(nonce, body, self.row_key(clave)))
        except (InvalidTag, ValueError, msgspec.MsgspecError):
            return None
        account = Account(
            found.clave, found.owner_masked, found.street, found.colonia, found.kind, found.benefit
        )
        return PadronRow(account, _liquidacion(found))

    def _derive(self, use: bytes, clave: str) -> bytes:
        return hmac.digest(self.secret, b"plaza padron " + use + b"\n" + clave.encode(), "sha256")


def _liquidacion(found: _Sealed) -> SignedLiquidacion | None:
    if found.payload is None or found.signature is None:
        return None
    try:
        decoded = decode_liquidacion(found.payload)
    except ValueError:
        return None
    return SignedLiquidacion(decoded, found.payload, found.signature)


def secret_file(catalogue: Path) -> Path:
    """Where the secret of a catalogue's site lies; never inside the catalogue."""
    return catalogue.parent / "keys" / "site.secret"


def make_vault(catalogue: Path) -> PadronVault:
    """The site's vault; its secret is made the first time. OSError when the disk refuses."""
    found = load_vault(catalogue)
    if found is not None:
        return found
    path = secret_file(catalogue)
    make_folder(path.parent)
    path.unlink(missing_ok=True)  # of a wrong length: what it sealed cannot be read anyway
    write_new(path, secrets.token_bytes(SECRET_BYTES), file_mode(path.parent))
    settle_file(path)
    made = load_vault(catalogue)
    if made is None:
        raise OSError(5, "the site's secret does not read back", str(path))
    return made


def load_vault(catalogue: Path) -> PadronVault | None:
    """None when there is no secret that can be used."""
    try:
        secret = secret_file(catalogue).read_bytes()
    except OSError:
        return None
    return PadronVault(secret) if len(secret) == SECRET_BYTES else None
