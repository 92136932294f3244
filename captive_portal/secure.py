"""The portal over TLS, for the Captive Portal API: phones believe only an https address (RFC 8908).

An event loop in its own thread ends TLS and passes the bytes to the portal's own listener; who asked
is handed over in memory, by the port of the inner connection, never in a header that a visitor could
write. The certificate is read again when its file changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections import Counter
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from captive_portal.secure_origin import SecureOrigin

MAX_CONNECTIONS = 256
MAX_PER_PEER = 8
HANDSHAKE_S, IDLE_S = 5.0, 90.0
"""A photo may take a minute to arrive while nothing is answered, and then wait for its turn while nothing
is sent. Whoever keeps a connection for nothing is sent away sooner, by the listener inside."""
RELOAD_S = 60.0
_PIECE = 32 * 1024


def certificate_flaw(cert: Path, key: Path, host: str, now: datetime | None) -> str:
    """Why phones would refuse this certificate for `host`; empty when nothing speaks against it.

    `now` is a time that can be believed, or None: then its dates are not judged.
    """
    try:
        leaf = x509.load_pem_x509_certificates(cert.read_bytes())[0]
        private = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError, IndexError) as e:
        return f"the certificate or its key cannot be read: {e}"
    if private.public_key() != leaf.public_key():
        return "the key does not belong to the certificate"
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        known = names.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        known = []
    if not any(_covers(name.lower(), host.lower()) for name in known):
        return f"the certificate is not for {host}"
    if now is not None and not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        return "the certificate is not valid at this time"
    return ""


def _covers(name: str, host: str) -> bool:
    """A name or one wildcard label (RFC 6125)."""
    return name == host or (name.startswith("*.") and name[2:] == host.partition(".")[2])


class SecureDoor:
    """Listens on `ADDR:PORT` (port 0: a free one, see `port`) until `stop`.

    Raises OSError for an address that is taken and for a certificate that cannot be used (SSLError).
    """

    def __init__(
        self, listen: str, cert: Path, key: Path, inner: tuple[str, int], origin: SecureOrigin
    ) -> None:
        host, _, port = listen.rpartition(":")
        self._host, self.port = host.strip("[]"), int(port)
        self._inner = inner
        self._origin = origin
        self._files = (cert, key)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.load_cert_chain(cert, key)
        self._read_ns = self._stamp()
        self._open: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tls", daemon=True)

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def renew(self) -> bool:
        """Take a certificate that was put in place since; False, and the old one stays, if it is no good."""
        stamp = self._stamp()
        if stamp == self._read_ns:
            return True
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files)
            self._context.load_cert_chain(*self._files)
        except OSError:
            return False
        self._read_ns = stamp
        return True

    def _stamp(self) -> tuple[int, ...]:
        with contextlib.suppress(OSError):
            return tuple(file.stat().st_mtime_ns for file in self._files)
        return ()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve,
            self._host,
            self.port,
            ssl=self._context,
            ssl_handshake_timeout=HANDSHAKE_S,
            ssl_shutdown_timeout=1.0,
            limit=_PIECE,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._renewing = self._loop.create_task(self._keep_renewing())

    async def _close(self) -> None:
        self._server.close()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(RELOAD_S)
            self.renew()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str(writer.get_extra_info("peername")[0])
        full = self._open.total() >= MAX_CONNECTIONS or self._open[peer] >= MAX_PER_PEER
        self._open[peer] += 1
        try:
            if not full:
                with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                    await self._join(peer, reader, writer)
        finally:
            self._open[peer] -= 1
            if not self._open[peer]:
                del self._open[peer]
            writer.transport.abort() if full else await _shut(writer)

    async def _join(
        self, peer: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(*self._inner, limit=_PIECE)
        inner = inner_writer.get_extra_info("sockname")[:2]
        self._origin.opened(inner, peer)
        try:
            ways = [
                asyncio.create_task(_pump(reader, inner_writer)),
                asyncio.create_task(_pump(inner_reader, writer)),
            ]
            _, pending = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in pending:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            self._origin.closed(inner)
            await _shut(inner_writer)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction, until its end or `IDLE_S` without a byte or without room for one."""
    while data := await asyncio.wait_for(reader.read(_PIECE), IDLE_S):
        writer.write(data)
        await asyncio.wait_for(writer.drain(), IDLE_S)


async def _shut(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), 2)
