"""HTTP to the city: signed requests out, whole and bounded answers back. No meaning is given here."""

from __future__ import annotations

import contextlib
import secrets
import ssl
import time
from collections.abc import Iterator

import httpx2

from municipio.wire.attachment import PART_TYPE
from municipio.wire.batch import BATCH_TYPE
from municipio.wire.envelope import MAX_REPLY_BYTES
from municipio.wire.httpsig import sign_request
from sync.answers import Refused, Reply, Trouble
from sync.keys import NodeKey


class Courier:
    """Carries one request at a time per caller; may be shared by threads.

    `timeout_s` bounds connecting, and the whole answer: a server that drips bytes is given up too.
    `tls` is for an https address (`sync.tls`); http needs none. Redirects are not followed and
    proxies from the environment are not used.
    """

    def __init__(
        self, url: str, key: NodeKey, timeout_s: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self._url = httpx2.URL(url.rstrip("/"))
        self._key = key
        self._timeout_s = timeout_s
        self._client = httpx2.Client(
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
            verify=tls if tls is not None else True,
            headers={"User-Agent": "plaza"},
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str) -> Reply | Refused:
        return self._carry("GET", path, b"", {})

    def post_batch(self, node: str, body: bytes) -> Reply | Refused:
        return self._carry("POST", f"/v1/nodes/{node}/batches", body, {"Content-Type": BATCH_TYPE})

    def put(self, path: str, body: bytes) -> Reply | Refused:
        return self._carry("PUT", path, body, {"Content-Type": PART_TYPE})

    def download(
        self, path: str, span: tuple[int, int] | None = None
    ) -> Iterator[bytes] | int | Refused:
        """A body in chunks, however long; the caller bounds it. Any other status than hoped for is an int.

        `span` asks for these bytes alone, first and last, and hopes for 206; without it for 200.
        """
        headers = {} if span is None else {"Range": f"bytes={span[0]}-{span[1]}"}
        try:
            response = self._client.send(self._signed("GET", path, b"", headers), stream=True)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as e:
            return Refused(Trouble.OFFLINE, f"the city cannot be reached: {e}")
        if response.status_code != (200 if span is None else 206):
            response.close()
            return response.status_code
        return _chunks(response)

    def _signed(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> httpx2.Request:
        full_path = self._url.path.rstrip("/") + path
        nonce = secrets.token_urlsafe(16)
        proof = sign_request(method, full_path, body, self._key.id, nonce, self._key.sign)
        url = self._url.copy_with(path=full_path)
        return self._client.build_request(
            method, url, content=body or None, headers=headers | proof
        )

    def _carry(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> Reply | Refused:
        deadline = time.monotonic() + self._timeout_s
        try:
            response = self._client.send(self._signed(method, path, body, headers), stream=True)
            try:
                return _read(response, deadline)
            finally:
                response.close()
        except httpx2.TimeoutException as e:
            return Refused(Trouble.TIMEOUT, f"no answer in time ({type(e).__name__})")
        except (httpx2.DecodingError, httpx2.RemoteProtocolError) as e:
            return Refused(Trouble.BAD_ANSWER, f"the answer is not HTTP that can be read: {e}")
        except (httpx2.TransportError, OSError) as e:
            return Refused(Trouble.OFFLINE, f"the city cannot be reached: {e}")
        except (httpx2.InvalidURL, ValueError) as e:
            return Refused(Trouble.NODE, f"central.url cannot be used: {e}")


def _chunks(response: httpx2.Response) -> Iterator[bytes]:
    with contextlib.closing(response):
        yield from response.iter_bytes(64 * 1024)


def _read(response: httpx2.Response, deadline: float) -> Reply | Refused:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            return Refused(Trouble.BAD_ANSWER, "the answer is too long")
        if time.monotonic() > deadline:
            return Refused(Trouble.TIMEOUT, "the answer came too slowly")
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, bytes(body))
