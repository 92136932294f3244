"""Name filters side by side: how each one is given the same list, started, and given the next list.

Every engine forwards what is not listed to the same resolver. Peers are Debian's packages with one
thread and a cache of 10,000 answers; one that is not installed is left out.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from captive_portal.filter.build import BuildPlan, build
from captive_portal.filter.dnsdist import render_dnsdist
from captive_portal.filter.dnsmasq import render_names
from captive_portal.filter.names import wire
from captive_portal.filter.plan import FilterPlan
from captive_portal.filter.policy import Category, FilterPolicy
from captive_portal.filter.reading import ListFile
from captive_portal.filter.safesearch import renew_file
from captive_portal.filter.simulator import ask
from captive_portal.filter.store import ListStore

HERE = "127.0.0.1"
CANARY = "canario-de-la-lista.example"
"""In every list: an engine is ready when it blocks this name."""
NEXT = "canario-de-la-siguiente.example"
"""Only in the next list: it has arrived when this name is blocked."""
REAL = "192.0.2.53"


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind((HERE, 0))
        return int(link.getsockname()[1])


@dataclass
class Engine:
    """One program (ours: two) with its files in `folder`; `swap` brings the next list."""

    name: str
    folder: Path
    upstream: int
    port: int = field(default_factory=free_port)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def prepare(self, names: Path) -> None:
        """Make the list and the configuration; not part of the time until ready."""
        raise NotImplementedError

    def launch(self) -> None:
        raise NotImplementedError

    def swap(self) -> None:
        raise NotImplementedError

    def run(self, *argv: object) -> None:
        with (self.folder / "log").open("ab") as log:
            self.running.append(
                subprocess.Popen([str(a) for a in argv], stdout=log, stderr=log, cwd=self.folder)
            )

    def start(self) -> float:
        """Seconds until the list blocks."""
        began = time.perf_counter()
        self.launch()
        self.wait(lambda: self.blocks(CANARY), 600)
        return time.perf_counter() - began

    def wait(self, what: Callable[[], bool], limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        while not what():
            if any(p.poll() is not None for p in self.running):
                raise RuntimeError(f"{self.name} ended: see {self.folder / 'log'}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} is not ready after {limit_s} s")
            time.sleep(0.005)

    def blocks(self, name: str) -> bool:
        reply = ask(name, (HERE, self.port), timeout_s=0.5)
        return reply is not None and reply.rcode != 2 and REAL not in reply.addresses

    def memory_mib(self) -> tuple[float, float]:
        """Resident and anonymous memory of its programs together."""
        resident = anonymous = 0
        for process in self.running:
            for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
                resident += int(line.split()[1]) if line.startswith("Rss:") else 0
                anonymous += int(line.split()[1]) if line.startswith("Anonymous:") else 0
        return resident / 1024, anonymous / 1024

    def cpu_s(self) -> float:
        """Processor time that its programs have used."""
        ticks = 0
        for process in self.running:
            words = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(words[11]) + int(words[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(timeout=120)
        self.running.clear()

    def restart(self) -> None:
        self.stop()
        self.launch()


class Plaza(Engine):
    """dnsdist with the compiled list in front of a dnsmasq without lists: a node's own two programs."""

    def prepare(self, names: Path) -> None:
        self.store = ListStore(self.folder / "filter", self.folder / "none.cdb")
        self.fresh = self.folder / "fresh.cdb"
        extra = self.folder / "more.txt"
        extra.write_text(f"{CANARY}\n{NEXT}\n")
        lists = [ListFile(names, Category.ADULT), ListFile(extra, Category.ADULT)]
        began = time.perf_counter()
        build(BuildPlan(lists, self.folder / "next.cdb", date(2026, 1, 2)))
        self.build_s = time.perf_counter() - began
        # The list before: the same file with one name that nobody can find, instead of a second build.
        former = (self.folder / "next.cdb").read_bytes()
        hidden = wire(NEXT.replace("siguiente", "siguientx"))
        (self.folder / "list.cdb").write_bytes(former.replace(wire(NEXT), hidden, 1))
        del former
        self.plan = FilterPlan(
            (HERE,),
            FilterPolicy(),
            lists=(str(self.store.list_file),),
            safe_hosts=str(self.folder / "safe"),
            upstream=(f"{HERE}#{self.upstream}",),
            accepted_port=self.port,
            waiting_port=free_port(),
            cache_port=free_port(),
        )
        self.store.folder.mkdir()
        shutil.move(self.folder / "list.cdb", self.store.list_file)
        renew_file(self.folder / "safe" / "hosts", HERE)
        (self.folder / "dnsdist.conf").write_text(render_dnsdist(self.plan))
        (self.folder / "names.conf").write_text(render_names(self.plan))

    def launch(self) -> None:
        self.run("dnsmasq", "-k", "-u", getpass.getuser(), "-C", self.folder / "names.conf")
        self.run("dnsdist", "--supervised", "--disable-syslog", "-C", self.folder / "dnsdist.conf")

    def launch_alone(self) -> int:
        """A dnsdist more that asks the upstream itself: what the list costs a name, without dnsmasq."""
        plan = replace(
            self.plan, accepted_port=free_port(), waiting_port=free_port(), cache_port=self.upstream
        )
        (self.folder / "alone.conf").write_text(render_dnsdist(plan))
        self.run("dnsdist", "--supervised", "--disable-syslog", "-C", self.folder / "alone.conf")
        self.wait(
            lambda: ask("listo.example", (HERE, plan.accepted_port), timeout_s=0.5) is not None, 60
        )
        return plan.accepted_port

    def swap(self) -> None:
        """As `ListStore.install` ends: the signature was checked before anything moved."""
        shutil.copyfile(self.folder / "next.cdb", self.fresh)
        self.store._swap(self.fresh)


class Dnsmasq(Engine):
    def prepare(self, names: Path) -> None:
        with names.open() as lines, (self.folder / "list.conf").open("w") as out:
            out.writelines(f"local=/{line[:-1]}/\n" for line in lines)
            out.write(f"local=/{CANARY}/\n")
        (self.folder / "main.conf").write_text(
            f"port={self.port}\nlisten-address={HERE}\nbind-interfaces\nno-hosts\nno-resolv\n"
            f"server={HERE}#{self.upstream}\ncache-size=10000\ndns-forward-max=1000\n"
            f"conf-file={self.folder / 'list.conf'}\n"
        )

    def launch(self) -> None:
        self.run("dnsmasq", "-k", "-u", getpass.getuser(), "-C", self.folder / "main.conf")

    def swap(self) -> None:
        with (self.folder / "list.conf").open("a") as out:
            out.write(f"local=/{NEXT}/\n")
        self.restart()


class Unbound(Engine):
    def prepare(self, names: Path) -> None:
        with names.open() as lines, (self.folder / "list.conf").open("w") as out:
            out.writelines(f'local-zone: "{line[:-1]}." always_nxdomain\n' for line in lines)
            out.write(f'local-zone: "{CANARY}." always_nxdomain\n')
        (self.folder / "main.conf").write_text(
            f"server:\n interface: {HERE}\n port: {self.port}\n num-threads: 1\n username: ''\n"
            f" chroot: ''\n directory: {self.folder}\n pidfile: ''\n use-syslog: no\n"
            " module-config: iterator\n do-not-query-localhost: no\n log-queries: no\n"
            f" outgoing-range: 4096\n num-queries-per-thread: 4096\n"
            f" include: {self.folder / 'list.conf'}\n"
            f"forward-zone:\n name: '.'\n forward-addr: {HERE}@{self.upstream}\n"
        )

    def launch(self) -> None:
        self.run("unbound", "-d", "-c", self.folder / "main.conf")

    def swap(self) -> None:
        with (self.folder / "list.conf").open("a") as out:
            out.write(f'local-zone: "{NEXT}." always_nxdomain\n')
        self.running[0].send_signal(1)


class Smartdns(Engine):
    def prepare(self, names: Path) -> None:
        with names.open() as lines, (self.folder / "list.conf").open("w") as out:
            out.writelines(f"address /{line[:-1]}/#\n" for line in lines)
            out.write(f"address /{CANARY}/#\n")
        (self.folder / "main.conf").write_text(
            f"bind {HERE}:{self.port}\nserver {HERE}:{self.upstream}\ncache-size 10000\n"
            "speed-check-mode none\ndualstack-ip-selection no\nprefetch-domain no\nlog-level error\n"
            f"log-file {self.folder / 'smartdns.log'}\ncache-persist no\n"
            f"conf-file {self.folder / 'list.conf'}\n"
        )

    def launch(self) -> None:
        self.run("smartdns", "-f", "-c", self.folder / "main.conf", "-p", "-")

    def swap(self) -> None:
        with (self.folder / "list.conf").open("a") as out:
            out.write(f"address /{NEXT}/#\n")
        self.restart()


class PowerDns(Engine):
    def prepare(self, names: Path) -> None:
        self._zone(names, 1, CANARY)
        (self.folder / "rpz.lua").write_text(
            f'rpzFile("{self.folder}/list.rpz", {{policyName="plaza", defpol=Policy.NXDOMAIN}})\n'
        )
        (self.folder / "recursor.conf").write_text(
            f"local-address={HERE}\nlocal-port={self.port}\nthreads=1\nsecurity-poll-suffix=\n"
            f"forward-zones-recurse=.={HERE}:{self.upstream}\ndont-query=\nsetuid=\nsetgid=\n"
            f"lua-config-file={self.folder}/rpz.lua\nsocket-dir={self.folder}\nquiet=yes\n"
            "disable-syslog=yes\ndnssec=off\nmax-mthreads=4096\nhint-file=\n"
            "pdns-distributes-queries=no\n"
        )

    def _zone(self, names: Path, serial: int, *more: str) -> None:
        self.names = names
        with names.open() as lines, (self.folder / "list.rpz").open("w") as out:
            out.write(
                "$TTL 300\n$ORIGIN rpz.\n"
                f"@ IN SOA ns.rpz. h.rpz. {serial} 3600 900 604800 300\n@ IN NS ns.rpz.\n"
            )
            out.writelines(f"{n[:-1]} CNAME .\n*.{n[:-1]} CNAME .\n" for n in lines)
            out.writelines(f"{n} CNAME .\n" for n in more)

    def launch(self) -> None:
        self.run("pdns_recursor", f"--config-dir={self.folder}", "--daemon=no")

    def swap(self) -> None:
        self._zone(self.names, 2, CANARY, NEXT)
        # An answer that it gave before the new list stays in its cache unless it is told.
        for words in (["reload-lua-config"], ["wipe-cache", NEXT]):
            argv = ["rec_control", f"--config-dir={self.folder}", "--timeout=600", *words]
            subprocess.run(argv, capture_output=True, check=False)


ENGINES: dict[str, tuple[type[Engine], str]] = {
    "plaza": (Plaza, "dnsdist"),
    "dnsmasq": (Dnsmasq, "dnsmasq"),
    "unbound": (Unbound, "unbound"),
    "smartdns": (Smartdns, "smartdns"),
    "pdns-recursor": (PowerDns, "pdns_recursor"),
}


def installed() -> list[str]:
    return [name for name, (_, program) in ENGINES.items() if shutil.which(program)]
