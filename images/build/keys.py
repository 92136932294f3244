"""The key that signs bundles, and the keyring that a node trusts.

A city builds with its own: PLAZA_BUNDLE_KEY and PLAZA_BUNDLE_CERT (and, in PLAZA_BUNDLE_KEYRING, the
certificates a node shall trust, more than one while a key is being changed). Without them a demonstration
key is made once in the build folder, and every image says so in its name of the signer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from roots import inside
from stages import say


@dataclass(frozen=True)
class Signer:
    key: Path
    certificate: Path
    keyring: Path
    demo: bool


def signer(folder: Path, tools: Path) -> Signer:
    """The signer of this build: the city's, or the demonstration's, made when it is not there."""
    key, certificate = os.environ.get("PLAZA_BUNDLE_KEY"), os.environ.get("PLAZA_BUNDLE_CERT")
    if bool(key) != bool(certificate):
        raise SystemExit("[image] PLAZA_BUNDLE_KEY and PLAZA_BUNDLE_CERT go together")
    if key and certificate:
        ring = os.environ.get("PLAZA_BUNDLE_KEYRING", certificate)
        return Signer(Path(key), Path(certificate), Path(ring), demo=False)
    made = Signer(
        folder / "demo.key.pem", folder / "demo.cert.pem", folder / "demo.cert.pem", demo=True
    )
    if not made.certificate.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        say("keys     a demonstration key: its bundles are for practice, not for a city")
        inside(
            tools, "openssl", "req", "-x509", "-newkey", "rsa:3072", "-noenc", "-days", "3650",
            "-subj", "/O=Plaza/CN=Plaza demonstration (not for a city)", "-keyout", "/keys/demo.key.pem",
            "-out", "/keys/demo.cert.pem", "-addext", "keyUsage=critical,digitalSignature",
            "-addext", "extendedKeyUsage=codeSigning,emailProtection", binds={folder: "/keys"},
        )  # fmt: skip
        made.key.chmod(0o600)
    return made
