"""HTTPS to the payment service: one request at a time, whole and bounded answers. No meaning here.

Nothing of a request or an answer is logged or put in an exception: the credential travels in a header.
"""

from __future__ import annotations

import time
from ipaddress import ip_address

import httpx2

from hardware.terminal.mercadopago.protocol import REPLY_MAX, Answer, Call, NoAnswer
from hardware.terminal.mercadopago.token import Token

CONNECT_S, ANSWER_S = 3.0, 8.0
_NEVER_LEFT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class Carrier:
    """Raises ValueError for an address that is not https (plain http only to this machine).

    Redirects are not followed and proxies from the environment are not used.
    """

    def __init__(self, url: str, token: Token, answer_s: float = ANSWER_S) -> None:
        self._url = checked_url(url)
        self._token = token
        self._answer_s = answer_s
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(answer_s, connect=min(CONNECT_S, answer_s)),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "plaza", "Accept": "application/json"},
        )

    def close(self) -> None:
        self._client.close()

    def send(self, call: Call) -> Answer | NoAnswer:
        headers = {"Authorization": f"Bearer {self._token.reveal()}", **dict(call.headers)}
        if call.idempotency_key:
            headers["X-Idempotency-Key"] = call.idempotency_key
        if call.body:
            headers["Content-Type"] = "application/json"
        deadline = time.monotonic() + self._answer_s
        try:
            request = self._client.build_request(
                call.method, self._url + call.path, content=call.body or None, headers=headers
            )
            response = self._client.send(request, stream=True)
            try:
                return _read(response, deadline)
            finally:
                response.close()
        except _NEVER_LEFT:
            return NoAnswer(left=False)
        except (httpx2.HTTPError, httpx2.StreamError, OSError):
            return NoAnswer(left=True)


def checked_url(url: str) -> str:
    """The base address without a slash at its end. Raises ValueError, without quoting it."""
    try:
        parsed = httpx2.URL(url.rstrip("/"))
    except (httpx2.InvalidURL, TypeError):
        raise ValueError("terminal.api_url is not an address") from None
    local = parsed.scheme == "http" and _is_loopback(parsed.host)
    if not (parsed.scheme == "https" or local) or not parsed.host or parsed.userinfo:
        raise ValueError("terminal.api_url must be https")
    return str(parsed).rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _read(response: httpx2.Response, deadline: float) -> Answer | NoAnswer:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > REPLY_MAX or time.monotonic() > deadline:
            return NoAnswer(left=True)
    return Answer(response.status_code, bytes(body))
