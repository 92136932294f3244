"""The real dnsdist and dnsmasq over loopback: what resolves, what does not, and what nobody may learn.

Skipped where the two programs are not installed. Every phone is an address of 127.0.0.0/8.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from captive_portal.filter.build import BuildPlan, build
from captive_portal.filter.database import Facts
from captive_portal.filter.dnsdist import render_dnsdist
from captive_portal.filter.dnsmasq import render_names
from captive_portal.filter.plan import FilterPlan
from captive_portal.filter.policy import Category, FilterPolicy, parse_policy
from captive_portal.filter.reading import ListFile
from captive_portal.filter.safesearch import GOOGLE_NAMES, renew_file
from captive_portal.filter.signing import trailer
from captive_portal.filter.simulator import (
    AAAA,
    HTTPS,
    NOERROR,
    NXDOMAIN,
    REFUSED,
    TXT,
    Reply,
    Upstream,
    ask,
)
from captive_portal.filter.store import ListStore

DNSDIST, DNSMASQ = shutil.which("dnsdist"), shutil.which("dnsmasq")
pytestmark = pytest.mark.skipif(not (DNSDIST and DNSMASQ), reason="dnsdist or dnsmasq is missing")
CITY = Ed25519PrivateKey.generate()
NODE = "127.0.0.1"
PATIENCE_S = 30.0


def free_port() -> int:
    """A port that is free for TCP and UDP on the loopback."""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind((NODE, 0))
            port = int(tcp.getsockname()[1])
            try:
                udp.bind((NODE, port))
            except OSError:
                continue
            return port


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


class Node:
    """The two daemons of one site, their files, and what they printed."""

    def __init__(self, folder: Path, upstream: Upstream, policy: FilterPolicy, zone: str) -> None:
        self.folder = folder
        self.store = ListStore(folder / "filter", folder / "baseline.cdb")
        self.plan = FilterPlan(
            (NODE,),
            policy,
            garden=("jardin.example",),
            own=("wifi.ciudad.example",),
            lists=(str(self.store.list_file), str(self.store.baseline)),
            safe_hosts=str(folder / "safe"),
            upstream=(f"{NODE}#{upstream.port}",),
            accepted_port=free_port(),
            waiting_port=free_port(),
            cache_port=free_port(),
            trusted=("127.0.0.1/32",),
            zone=zone,
        )
        self._running: list[subprocess.Popen[bytes]] = []

    def list(self, day: date, **texts: str) -> None:
        """Build, sign and install a list of texts by category."""
        files = []
        for category, text in texts.items():
            path = self.folder / f"{category}.txt"
            path.write_text(text)
            files.append(ListFile(path, Category(category.replace("_", "-"))))
        fresh = self.folder / "fresh.cdb"
        build(BuildPlan(files, fresh, day))
        with fresh.open("ab") as stream:
            stream.write(trailer(fresh, CITY.sign, CITY.public_key()))
        assert isinstance(self.store.install(fresh, CITY.public_key()), Facts)

    def start(self) -> None:
        renew_file(self.folder / "safe" / "hosts", NODE)
        (self.folder / "names.conf").write_text(render_names(self.plan))
        (self.folder / "dnsdist.conf").write_text(render_dnsdist(self.plan))
        self._run(
            "dnsmasq", [DNSMASQ, "-k", "-u", getpass.getuser(), "-C", self.folder / "names.conf"]
        )
        self._run(
            "dnsdist",
            [DNSDIST, "--supervised", "--disable-syslog", "-C", self.folder / "dnsdist.conf"],
        )
        until(lambda: self.ask("listo.jardin.example", timeout_s=0.3) is not None)

    def _run(self, name: str, argv: list[object]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            environment = {**os.environ, "TZ": self.plan.zone}
            self._running.append(
                subprocess.Popen([str(a) for a in argv], stdout=log, stderr=log, env=environment)
            )

    def stop(self) -> None:
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(timeout=20)
        self._running.clear()

    def ask(
        self,
        name: str,
        kind: int = 1,
        *,
        waiting: bool = False,
        source: str = "",
        timeout_s: float = 5,
    ) -> Reply | None:
        port = self.plan.waiting_port if waiting else self.plan.accepted_port
        return ask(name, (NODE, port), kind, source=source, timeout_s=timeout_s)

    def logs(self) -> str:
        return "".join(p.read_text(errors="replace") for p in sorted(self.folder.glob("*.log")))


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as internet:
        yield internet


Started = Callable[..., Node]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Node]:
    """A site with a list, a block and an allow of its own, and YouTube in strict mode."""
    made = parse_policy(
        {
            "categories": ["adult", "malware", "phishing", "doh-vpn"],
            "youtube": "strict",
            "block": ["propio.example", "tramites.gob.example"],
            "allow": ["permitido.adultos.example"],
        }
    )
    assert isinstance(made, FilterPolicy)
    node = Node(tmp_path_factory.mktemp("filtro"), upstream, made, "America/Mexico_City")
    node.list(
        date(2026, 1, 10),
        adult="adultos.example\nwww.mixto.example\n",
        gambling="juego.example\nwww.mixto.example\n",
    )
    node.start()
    yield node
    node.stop()


REAL = Reply(NOERROR, (Upstream.A_TEXT,), ())
BLOCKED = Reply(NOERROR, (NODE,), ())
EMPTY = Reply(NOERROR, (), ())


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("www.ejemplo.example", 1, REAL),
        ("www.ejemplo.example", AAAA, Reply(NOERROR, ("2001:db8::53",), ())),
        ("adultos.example", 1, BLOCKED),
        ("a.b.ADULTOS.example", 1, BLOCKED),
        ("adultos.example", AAAA, EMPTY),
        ("adultos.example", HTTPS, EMPTY),
        ("adultos.example", TXT, EMPTY),
        ("noadultos.example", 1, REAL),
        ("juego.example", 1, REAL),
        ("www.mixto.example", 1, BLOCKED),
        ("mixto.example", 1, REAL),
        ("propio.example", 1, BLOCKED),
        ("permitido.adultos.example", 1, REAL),
        ("www.gob.mx", 1, REAL),
        ("a.jardin.example", 1, REAL),
        ("wifi.ciudad.example", 1, BLOCKED),
        ("use-application-dns.net", 1, Reply(NXDOMAIN, (), ())),
        ("mask.icloud.com", 1, Reply(NXDOMAIN, (), ())),
        ("mask-h2.icloud.com", AAAA, Reply(NXDOMAIN, (), ())),
        ("_dns.resolver.arpa", 64, EMPTY),
        ("ejemplo.example", 255, Reply(REFUSED, (), ())),
        ("ejemplo.example", 252, Reply(REFUSED, (), ())),
    ],
)  # fmt: skip
def test_a_name_resolves_as_the_policy_says(
    node: Node, name: str, kind: int, expected: Reply
) -> None:
    assert node.ask(name, kind) == expected


@pytest.mark.parametrize(
    ("name", "safe", "address"),
    [(n, "forcesafesearch.google.com", "216.239.38.120") for n in GOOGLE_NAMES[:: len(GOOGLE_NAMES) // 6]]
    + [
        ("www.google.com.mx", "forcesafesearch.google.com", "216.239.38.120"),
        ("www.bing.com", "strict.bing.com", "204.79.197.220"),
        ("www.youtube.com", "restrict.youtube.com", "216.239.38.120"),
        ("youtubei.googleapis.com", "restrict.youtube.com", "216.239.38.120"),
        # Never looked up yet: the node itself, not the unsafe searcher.
        ("duckduckgo.com", "safe.duckduckgo.com", NODE),
        ("www.ecosia.org", "strict-safe-search.ecosia.org", NODE),
        ("pixabay.com", "safesearch.pixabay.com", NODE),
    ],
)  # fmt: skip
def test_a_searcher_becomes_its_safe_self(node: Node, name: str, safe: str, address: str) -> None:
    assert node.ask(name) == Reply(NOERROR, (address,), (safe,))
    assert node.ask(name, AAAA) == EMPTY
    assert node.ask(name, HTTPS) == EMPTY


def test_a_safe_address_that_was_looked_up_is_used_without_a_restart(node: Node) -> None:
    def resolve(name: str) -> list[str]:
        return {"safe.duckduckgo.com": ["52.0.0.1"], "safesearch.pixabay.com": ["10.0.0.1"]}.get(
            name, []
        )

    def answer() -> Reply | None:
        return ask("www.duckduckgo.com", (NODE, node.plan.cache_port))

    assert renew_file(node.folder / "safe" / "hosts", NODE, resolve)
    until(lambda: answer() == Reply(NOERROR, ("52.0.0.1",), ("safe.duckduckgo.com",)))
    assert not renew_file(node.folder / "safe" / "hosts", NODE, resolve)
    found = ask("pixabay.com", (NODE, node.plan.cache_port))
    assert found is not None
    assert found.addresses == (NODE,)


def test_before_acceptance_only_plain_short_questions_are_answered(node: Node) -> None:
    def waiting(name: str, kind: int = 1) -> Reply | None:
        return node.ask(name, kind, waiting=True, source="127.0.1.1")

    long = ".".join(["x" * 30] * 4) + ".example"
    assert waiting("connectivitycheck.gstatic.com") == REAL
    assert waiting("adultos.example") == BLOCKED
    for kind in (TXT, 10, 15, 33, 64):
        assert waiting("ejemplo.example", kind) == Reply(REFUSED, (), ())
    assert waiting(long) == Reply(REFUSED, (), ())
    assert node.ask(long) == REAL


def test_before_acceptance_a_device_has_twenty_questions_a_second_and_others_their_own(
    node: Node,
) -> None:
    port = node.plan.waiting_port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        flood.bind(("127.0.1.2", 0))
        began = time.monotonic()
        for n in range(400):
            flood.sendto(
                n.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0\7adultos\7example\0\0\1\0\1",
                (NODE, port),
            )
        # A phone asks again when the kernel's own queue was full of the flood.
        until(
            lambda: (
                node.ask("adultos.example", waiting=True, source="127.0.1.3", timeout_s=0.5)
                == BLOCKED
            )
        )
        flood.settimeout(1.0)
        answered = 0
        try:
            while flood.recv(512):
                answered += 1
        except TimeoutError:
            pass
        took = time.monotonic() - began
    assert 0 < answered <= 20 + 20 * (took + 1)


def test_a_device_that_asks_too_much_is_silenced_and_its_neighbour_is_not(node: Node) -> None:
    stop = time.monotonic() + PATIENCE_S
    silent = 0
    while silent < 3 and time.monotonic() < stop:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            flood.bind(("127.0.2.2", 0))
            for n in range(150):
                flood.sendto(
                    n.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0\7adultos\7example\0\0\1\0\1",
                    (NODE, node.plan.accepted_port),
                )
        answer = node.ask("adultos.example", source="127.0.2.2", timeout_s=0.3)
        silent = silent + 1 if answer is None else 0
    assert silent == 3
    # The flood also filled the kernel's queue: a neighbour's question may be asked twice, as phones do.
    until(lambda: node.ask("adultos.example", source="127.0.2.3", timeout_s=1) == BLOCKED)


def test_a_name_that_carries_data_is_refused_and_other_names_go_on(node: Node) -> None:
    """What iodine and its kin do: many long labels below one name, each different."""
    refused = 0
    deadline = time.monotonic() + PATIENCE_S
    n = 0
    while refused < 3 and time.monotonic() < deadline:
        n += 1
        label = f"{n:04x}" + "abcdefghij0123456789abcdefghij"
        answer = node.ask(f"{label}.t.tunel.example", source="127.0.3.2", timeout_s=1)
        refused += answer is not None and answer.rcode == REFUSED
        time.sleep(0.03)
    assert refused == 3
    assert node.ask("www.ejemplo.example", source="127.0.3.2") == REAL
    assert node.ask("www.tunel.example.mx", source="127.0.3.3") == REAL


def test_twenty_swaps_under_load_lose_no_question(node: Node) -> None:
    """Each list is another file; questions go on all the while, and the last list answers at the end."""
    asked = lost = wrong = 0
    done = threading.Event()

    def load() -> None:
        nonlocal asked, lost, wrong
        while not done.is_set():
            reply = node.ask("adultos.example", timeout_s=5)
            asked += 1
            lost += reply is None
            wrong += reply is not None and reply != BLOCKED

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(20):
        node.list(date(2026, 2, 1 + n), adult=f"adultos.example\nnuevo{n}.example\n" * (n + 1))
        time.sleep(0.1)
    until(lambda: node.ask("nuevo19.example") == BLOCKED)
    done.set()
    for thread in threads:
        thread.join()
    assert asked > 100
    assert (lost, wrong) == (0, 0)


def _misbehave(source: str, port: int) -> None:
    """Odd packets and more TCP connections than a device may have."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind((source, 0))
        for size in (0, 1, 11, 12, 13, 300, 4000):
            link.sendto(b"\xff" * size, (NODE, port))
    links = []
    for _ in range(12):
        link = socket.socket()
        link.bind((source, 0))
        link.settimeout(5)
        link.connect((NODE, port))
        with contextlib.suppress(OSError):
            link.sendall(b"\0\5basura" * 50)
        links.append(link)
    for link in links:
        link.close()


def test_the_daemons_tell_nobody_who_asked_for_what(node: Node) -> None:
    for n in range(30):
        node.ask(f"secreto{n}.example", source="127.0.9.9")
        node.ask("adultos.example", source="127.0.9.9")
    _misbehave("127.0.9.9", node.plan.accepted_port)
    assert node.ask("adultos.example", source="127.0.9.8") == BLOCKED
    text = node.logs()
    assert "plaza filter: list" in text
    for word in ("secreto", "adultos", "tunel", "127.0.9.9", "127.0.2.2", "127.0.3.2"):
        assert word not in text


@pytest.fixture
def make(tmp_path: Path, upstream: Upstream) -> Iterator[Started]:
    made: list[Node] = []

    def start(policy: FilterPolicy, zone: str = "America/Mexico_City") -> Node:
        node = Node(tmp_path, upstream, policy, zone)
        made.append(node)
        return node

    yield start
    for node in made:
        node.stop()


def test_without_a_list_only_the_garden_resolves_until_one_comes(make: Started) -> None:
    node = make(FilterPolicy(allow=("banco.example",)))
    node.start()
    assert node.ask("www.ejemplo.example") == BLOCKED
    assert node.ask("www.ejemplo.example", AAAA) == EMPTY
    assert node.ask("a.jardin.example") == REAL
    assert node.ask("captive.apple.com") == REAL
    assert "walled garden only" in node.logs()
    node.list(date(2026, 1, 10), adult="adultos.example\n")
    until(lambda: node.ask("www.ejemplo.example") == REAL)
    assert node.ask("adultos.example") == BLOCKED


def test_a_category_opens_outside_its_hours(make: Started) -> None:
    made = parse_policy({"hours": {"gambling": "00:00-24:00", "drugs": "lun 00:00-00:01"}})
    assert isinstance(made, FilterPolicy)
    now = time.localtime()
    drugs_now = now.tm_wday == 0 and now.tm_hour == 0 and now.tm_min < 2
    node = make(made, "UTC")
    node.list(date(2026, 1, 10), gambling="juego.example\n", drugs="droga.example\n")
    node.start()
    assert node.ask("juego.example") == BLOCKED
    assert drugs_now or node.ask("droga.example") == REAL


def test_a_site_that_filters_nothing_still_resolves_and_answers_the_canaries(make: Started) -> None:
    made = parse_policy({"categories": [], "safesearch": False})
    assert isinstance(made, FilterPolicy)
    node = make(made)
    node.plan = replace(node.plan, garden=("jardin.example",), own=())
    node.list(date(2026, 1, 10), adult="adultos.example\n")
    node.start()
    assert node.ask("adultos.example") == REAL
    assert node.ask("www.google.com") == REAL
    assert node.ask("use-application-dns.net") == Reply(NXDOMAIN, (), ())
