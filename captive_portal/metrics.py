"""The portal's figures for Prometheus, on this machine's own loopback and nowhere else.

The text is made here and not by a library: every name and every label value is a word of this program,
so there is nothing to escape, and a node of 512 MB is spared a registry that would hold copies of
counters that already exist. The tests read it with Prometheus's own parser.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from captive_portal.gate.visits import GateStats
from captive_portal.vitals import Vitals
from municipio.usecases.ports import LinkState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus's text exposition format."""
PATIENCE_S = 5

_Sample = tuple[str, int]
_Family = tuple[str, str, str, list[_Sample]]
"""Name below `plaza_`, type, help, and (labels, value) of each sample."""


def render(vitals: Vitals) -> str:
    """The whole exposition. What is not known is left out: an absent sample is not a zero."""
    return "".join(
        f"# HELP plaza_{name} {help_}\n# TYPE plaza_{name} {kind}\n"
        + "".join(f"plaza_{name}{labels} {value}\n" for labels, value in samples)
        for name, kind, help_, samples in _families(vitals)
    )


def _families(vitals: Vitals) -> Iterator[_Family]:
    gate, link, quota, listed = vitals.gate, vitals.link, vitals.quota, vitals.filter
    answers = isinstance(gate, GateStats)
    yield "gate_up", "gauge", "The gate answers.", [("", int(answers))]
    if isinstance(gate, GateStats):
        yield from _gate_families(gate)
    yield (
        "portal_quota_visits", "gauge", "Open visits that have a quota of bytes.",
        [("", quota.visits)],
    )  # fmt: skip
    yield "portal_quota_used_bytes", "gauge", "Bytes that they used.", [("", quota.used)]
    yield "portal_quota_bytes", "gauge", "Bytes that they may use.", [("", quota.whole)]
    yield (
        "link_state", "gauge", "1 for the state of the way out, 0 for the others.",
        [(_label("state", s.value), int(link.state is s)) for s in LinkState],
    )  # fmt: skip
    yield (
        "queue_waiting",
        "gauge",
        "Facts that the city has not acknowledged.",
        [("", link.waiting)],
    )
    yield "filter_readable", "gauge", "A filter list can be read.", [("", int(bool(listed.date)))]
    yield "filter_names", "gauge", "Names on the list in use.", [("", listed.names)]
    if listed.age_days is not None:
        yield "filter_age_days", "gauge", "Days since the list was made.", [("", listed.age_days)]
    yield (
        "portal_events_total", "counter", "What happened at the portal since it started.",
        [(_label("event", name), count) for name, count in vitals.events.items()],
    )  # fmt: skip


def _gate_families(gate: GateStats) -> Iterator[_Family]:
    yield "portal_visits_open", "gauge", "Devices that may pass now.", [("", gate.open)]
    yield "portal_visits_max", "gauge", "How many may; 0 is no limit.", [("", gate.max_open)]
    yield "portal_granted_total", "counter", "Visits begun.", [("", gate.granted)]
    yield "portal_refused_total", "counter", "Grants that the gate refused.", [("", gate.refused)]
    yield (
        "portal_ended_total", "counter", "Visits ended, by cause.",
        [
            (_label("cause", "time"), gate.ended_by_time),
            (_label("cause", "bytes"), gate.ended_by_bytes),
            (_label("cause", "revoked"), gate.revoked),
        ],
    )  # fmt: skip
    yield (
        "portal_bytes_total",
        "counter",
        "Bytes of all visits, both directions.",
        [("", gate.bytes)],
    )
    yield "gate_whole", "gauge", "The firewall is as it was built.", [("", int(gate.whole))]
    yield (
        "gate_rebuilt_total",
        "counter",
        "How often it had to be built again.",
        [("", gate.rebuilt)],
    )
    yield (
        "gate_routers", "gauge", "Devices on the guest side that forward for others.",
        [("", gate.routers)],
    )  # fmt: skip


def _label(name: str, value: str) -> str:
    return f'{{{name}="{value}"}}'


class MetricsServer:
    """Answers `GET /metrics` on a loopback address. Raises ValueError for any other address, OSError for
    one that is taken."""

    def __init__(self, listen: str, exposition: Callable[[], str]) -> None:
        host, _, port = listen.rpartition(":")
        host = host.strip("[]")
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"metrics are for this machine alone, and {host} is not its loopback")
        self._http = _server(host, int(port), exposition)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.2,), daemon=True)
        self._thread.start()
        self.port = int(self._http.server_address[1])

    def stop(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _server(host: str, port: int, exposition: Callable[[], str]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE_S

        def do_GET(self) -> None:
            found = self.path.partition("?")[0] == "/metrics"
            body = (exposition() if found else "see /metrics\n").encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """A question every fifteen seconds is no news."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Who hung up is no trouble here."""

    return Server((host, port), Handler)
