"""Coverage-guided bytes for everything that a network can send to the portal (atheris, libFuzzer).

    .venv/bin/python tests/fuzz/fuzz_portal.py -max_total_time=60

The first byte chooses the parser. A parser answers with its own closed set of results, the application
with a small page; any exception, any 500 and any large page is the fault that is looked for.
"""

from __future__ import annotations

import sys
from urllib.parse import quote

import atheris

with atheris.instrument_imports(include=["captive_portal"]):
    from captive_portal.app import create_app
    from captive_portal.form_seal import FormSeal, SealState
    from captive_portal.gate.protocol import clean_ip
    from captive_portal.hosts import clean_host
    from captive_portal.probes import Probe, find_probe
    from captive_portal.simulator import simulated_node
    from captive_portal.site import SiteProblem, SiteProfile, parse_site
    from captive_portal.words import CODE_WORDS, read_code, word_list

OWN = "127.0.0.1:8380"
NODE = simulated_node()
PHONE = create_app(NODE.ports).test_client()
SEALS = FormSeal()
METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS")
FORMS = ("/es/conectar", "/en/codigo", "/es/mi-codigo")


def _probe(data: atheris.FuzzedDataProvider) -> None:
    host, path = data.ConsumeUnicode(60), data.ConsumeUnicode(60)
    assert isinstance(find_probe(host, path, own_host=data.ConsumeBool()), Probe | None)


def _host(data: atheris.FuzzedDataProvider) -> None:
    assert clean_host(data.ConsumeUnicode(300)).isascii()
    clean_ip(data.ConsumeUnicode(60))


def _code(data: atheris.FuzzedDataProvider) -> None:
    words = read_code(data.ConsumeUnicode(120))
    assert words is None or (len(words) == CODE_WORDS and set(words) <= set(word_list()))


def _seal(data: atheris.FuzzedDataProvider) -> None:
    state = SEALS.claim(data.ConsumeUnicode(150), "accept", "10.0.0.1", data.ConsumeInt(6))
    assert state in (SealState.FORGED, SealState.STALE)


def _site(data: atheris.FuzzedDataProvider) -> None:
    assert isinstance(parse_site(data.ConsumeUnicode(600)), SiteProfile | SiteProblem)


def _header(data: atheris.FuzzedDataProvider, size: int) -> str:
    raw = data.ConsumeBytes(size).decode("latin-1")
    return "".join(c for c in raw if c >= " " and c != "\x7f")


def _request(data: atheris.FuzzedDataProvider) -> None:
    method = METHODS[data.ConsumeIntInRange(0, len(METHODS) - 1)]
    host = OWN if data.ConsumeBool() else _header(data, 60)
    headers = {
        "Host": host,
        "User-Agent": _header(data, 80),
        "Accept-Language": _header(data, 40),
        "Accept": _header(data, 40),
        "X-Forwarded-For": _header(data, 40),
    }
    path = "/" + quote(data.ConsumeUnicode(80), safe="/?=&%")
    answer = PHONE.open(path, method=method, headers=headers)
    assert answer.status_code < 500 or answer.status_code == 511, answer.status
    assert len(answer.data) < 15 * 1024


def _form(data: atheris.FuzzedDataProvider) -> None:
    path = FORMS[data.ConsumeIntInRange(0, len(FORMS) - 1)]
    kind = _header(data, 60) or "application/x-www-form-urlencoded"
    body = data.ConsumeBytes(600)
    answer = PHONE.post(path, base_url=f"http://{OWN}", data=body, content_type=kind)
    assert answer.status_code in (303, 400, 413, 422, 429), answer.status


PARSERS = (_probe, _host, _code, _seal, _site, _request, _form)


def one_input(raw: bytes) -> None:
    data = atheris.FuzzedDataProvider(raw)
    PARSERS[data.ConsumeIntInRange(0, len(PARSERS) - 1)](data)
    counters = NODE.ports.door.counters.read()
    assert counters["our_fault"] == 0
    assert counters["accepted"] == 0
    assert counters["resumed"] == 0


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
