"""TLS to a city that signs its own certificates, with the few words that openssl needs for them."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sync.keys import KeyMissing
from sync.tls import city_tls

HOST = "plaza.ciudad.example"
PEM = serialization.Encoding.PEM
START = datetime.now(UTC) + timedelta(days=2000)
"""For a clock that stands in the past."""


class Authority:
    """A city's own: no certificate of it names the key that signed it."""

    def __init__(self, home: Path) -> None:
        self._key, self._home = ec.generate_private_key(ec.SECP256R1()), home
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Autoridad")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        own = self._builder(self._name, self._key).add_extension(constraints, critical=True)
        self.file = home / "ca.pem"
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(PEM))

    def server(self, name: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        leaf = self._builder(subject, key).add_extension(names, critical=False)
        plain = serialization.NoEncryption()
        file = self._home / "city.pem"
        file.write_bytes(
            leaf.sign(self._key, hashes.SHA256()).public_bytes(PEM)
            + key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().issuer_name(self._name).subject_name(subject)
        made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
        return made.not_valid_before(START).not_valid_after(START + timedelta(days=30))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def greet(node: ssl.SSLContext, city: ssl.SSLContext) -> None:
    """The whole handshake, in memory. Raises ssl.SSLError."""
    to_city, to_node = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        node.wrap_bio(to_node, to_city, server_hostname=HOST),
        city.wrap_bio(to_city, to_node, server_side=True),
    ]
    for _ in range(4):
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                continue
    assert ends == []


def test_a_city_may_sign_its_own_certificate_in_the_plainest_way(authority: Authority) -> None:
    node = city_tls(str(authority.file))
    assert isinstance(node, ssl.SSLContext)

    greet(node, authority.server(HOST))


def test_the_chain_and_the_name_are_judged_all_the_same(
    authority: Authority, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    node = city_tls(str(authority.file))
    assert isinstance(node, ssl.SSLContext)

    for city in (Authority(other).server(HOST), authority.server("otra.example")):
        with pytest.raises(ssl.SSLCertVerificationError):
            greet(node, city)


def test_no_python_is_stricter_with_a_citys_own_authority_than_another(
    authority: Authority,
) -> None:
    node = city_tls(str(authority.file))
    assert isinstance(node, ssl.SSLContext)

    assert not node.verify_flags & ssl.VERIFY_X509_STRICT
    assert isinstance(city_tls("/nowhere.pem"), KeyMissing)
