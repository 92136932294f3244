"""Accepting as a crowd does, beside openNDS 9.10 (Debian): the same namespaces, phones and wire.

Every phone is a network device of its own on a bridge (the air), with its own hardware and IP address.
All of them read the page and tap once, at the same moment; then everybody is sent out and it happens
again. Ours writes the consent to the node's ledger (fsync) before it opens; openNDS keeps no record at all.
openNDS answers through its click-to-continue theme. Root only: it builds network namespaces. With an
argument, `ours` or `opennds`, only that one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

GATEWAY = "10.66.0.1"
CROWDS = (4, 32, 250)
ROUNDS = 3
PROBE_SECONDS = 3.0
PATIENCE_S = 20
NODE, PHONES = f"bn{os.getpid() % 1000}", f"bp{os.getpid() % 1000}"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def say(what: str, value: float, unit: str, **more: str) -> None:
    print(json.dumps({"what": what, "value": round(value, 2), "unit": unit, **more}), flush=True)


def run(*argv: str, check: bool = True) -> str:
    done = subprocess.run(
        argv, capture_output=True, text=True, env={**os.environ, "PATH": _PATH}, timeout=60
    )
    assert not check or done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


def phone_ip(n: int) -> str:
    return f"10.66.{1 + n // 200}.{1 + n % 200}"


@contextlib.contextmanager
def town(phones: int) -> Iterator[None]:
    """A node with a guest side and a dead-end uplink, and so many phones on the other end of the wire."""
    try:
        for name in (NODE, PHONES):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "link", "add", "guest0", "netns", NODE, "type", "veth",
            "peer", "name", "air0", "netns", PHONES)  # fmt: skip
        run("ip", "-n", NODE, "link", "add", "up0", "type", "veth", "peer", "name", "far0")
        run("ip", "-n", NODE, "link", "set", "far0", "up")
        for device, address in (("guest0", f"{GATEWAY}/16"), ("up0", "198.51.100.2/24")):
            run("ip", "-n", NODE, "addr", "add", address, "dev", device)
            run("ip", "-n", NODE, "link", "set", device, "up")
        run("ip", "-n", NODE, "route", "add", "default", "via", "198.51.100.1")
        run("ip", "netns", "exec", NODE, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        _phones(phones)
        yield
    finally:
        for name in (NODE, PHONES):
            run("ip", "netns", "del", name, check=False)


def _phones(count: int) -> None:
    run("ip", "-n", PHONES, "link", "add", "air", "type", "bridge")
    run("ip", "-n", PHONES, "link", "set", "air", "up")
    run("ip", "-n", PHONES, "link", "set", "air0", "master", "air", "up")
    run("ip", "netns", "exec", PHONES, "sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1",
        "net.ipv4.conf.all.arp_announce=2", "net.ipv4.conf.all.rp_filter=0",
        "net.ipv4.conf.default.rp_filter=0")  # fmt: skip
    lines = []
    for n in range(count):
        table, device = 1000 + n, f"m{n}"
        lines += [
            f"link add {device} address 02:66:00:00:{n >> 8:02x}:{n & 255:02x} "
            f"type veth peer name b{n}",
            f"link set b{n} master air up",
            f"addr add {phone_ip(n)}/32 dev {device}",
            f"link set {device} up",
            f"route add {GATEWAY}/32 dev {device} table {table}",
            f"route add default via {GATEWAY} dev {device} table {table} onlink",
            f"rule add from {phone_ip(n)} table {table}",
        ]
    subprocess.run(
        ["ip", "-n", PHONES, "-batch", "-"], input="\n".join(lines), text=True, check=True
    )


# --- what a phone does: this file again, inside the phones' namespace ------------------------


def ask(ip: str, url: str, form: str = "") -> tuple[int, str, str]:
    """One request on a connection of its own; (status, Location, body)."""
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    method, length = ("POST", f"Content-Length: {len(form)}\r\n") if form else ("GET", "")
    raw = (
        f"{method} /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0 (phone)\r\n{length}"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Accept: text/html\r\nConnection: close\r\n\r\n{form}"
    )
    address = (name if name[0].isdigit() else "203.0.113.9", int(port or 80))
    with socket.create_connection(address, PATIENCE_S, (ip, 0)) as peer:
        peer.sendall(raw.encode())
        data = b""
        while piece := peer.recv(65536):
            data += piece
    head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
    found = re.search(r"^location: (\S+)", head, re.IGNORECASE | re.MULTILINE)
    return int(head.split(" ", 2)[1]), found[1] if found else "", body


def join_ours(ip: str) -> None:
    base = f"http://{GATEWAY}:8380"
    _, _, page = ask(ip, f"{base}/es/")
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    form = "&".join(f"{name}={value}" for name, value in fields)
    status, where, _ = ask(ip, f"{base}/es/conectar", form)
    assert (status, where) == (303, "/es/en-linea"), (status, where)


def join_opennds(ip: str) -> None:
    """Follow the redirect of a probe, press «continue» in the theme, follow where that leads."""
    status, where, body = ask(ip, "http://connectivitycheck.gstatic.com/generate_204")
    for _ in range(8):
        if status in (302, 307, 511) and where:
            status, where, body = ask(ip, where)
            continue
        form = re.search(r'<form action="([^"]*)".*?</form>', body, re.DOTALL)
        if form is None:
            break
        fields = re.findall(r'name="(\w+)" value="([^"]*)"', form[0])
        query = "&".join(f"{name}={quoted(value)}" for name, value in fields)
        if "landing=yes" in query:
            _, _, body = ask(ip, absolute(form[1]) + "?" + query)
            assert "granted" in body.lower() or "you are now logged in" in body.lower(), body[-600:]
            return
        status, where, body = ask(ip, absolute(form[1]) + "?" + query)
    raise AssertionError(f"openNDS did not let {ip} in: {status} {body[:200]}")


def absolute(path: str) -> str:
    return path if path.startswith("http") else f"http://{GATEWAY}:2050{path}"


def quoted(text: str) -> str:
    return "".join(c if c.isalnum() else f"%{ord(c):02x}" for c in text)


JOIN: dict[str, Callable[[str], None]] = {"ours": join_ours, "opennds": join_opennds}


def crowd(who: str, count: int) -> None:
    """All phones at once; prints seconds in all, each phone's seconds, and how many failed."""
    times: list[float] = []
    failures: list[str] = []
    ready = threading.Barrier(count + 1)

    def phone(n: int) -> None:
        ready.wait()
        began = time.perf_counter()
        try:
            JOIN[who](phone_ip(n))
            times.append(time.perf_counter() - began)
        except (OSError, AssertionError, ValueError, IndexError) as e:
            failures.append(f"{type(e).__name__} {e}"[:200])

    threads = [threading.Thread(target=phone, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    print(json.dumps({"s": time.perf_counter() - began, "times": times, "failed": failures}))


def probes(count: int) -> None:
    """So many phones ask whether they are online, again and again."""
    done = [0] * count
    until = time.perf_counter() + PROBE_SECONDS

    def phone(n: int) -> None:
        while time.perf_counter() < until:
            with contextlib.suppress(OSError, IndexError):
                status = ask(phone_ip(n), "http://connectivitycheck.gstatic.com/generate_204")[0]
                done[n] += status in (302, 307, 511)

    threads = [threading.Thread(target=phone, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"rate": sum(done) / PROBE_SECONDS}))


def on_phones(*argv: str) -> dict[str, Any]:
    out = subprocess.run(
        ["ip", "netns", "exec", PHONES, sys.executable, "-P", __file__, *argv],
        capture_output=True, text=True, timeout=200, check=True,
    ).stdout  # fmt: skip
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result


# --- the two portals --------------------------------------------------------------------------


def start(log: Path, *argv: str) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(
            ["ip", "netns", "exec", NODE, *argv], stdout=file, stderr=file,
            env={**os.environ, "PATH": _PATH},
        )  # fmt: skip


def until(check: Callable[[], object], what: str) -> None:
    limit = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < limit, f"{what} never came"
        time.sleep(0.1)


def listens(port: int) -> bool:
    shown = run("ip", "netns", "exec", NODE, "ss", "-Hltn", f"sport = :{port}", check=False)
    return bool(shown.strip())


@contextlib.contextmanager
def ours(folder: Path) -> Iterator[Callable[[], None]]:
    """The node's programs as they run on a site; yields how everybody is sent out again."""
    data, gate = folder / "node", folder / "gate.sock"
    data.mkdir()
    (data / "settings.toml").write_text(
        f'[portal]\ngate_socket = "{gate}"\nlisten = "{GATEWAY}:8380"\n'
        f'public_url = "http://{GATEWAY}:8380"\n'
    )
    python = (sys.executable, "-P", "-m")
    run(*python, "central", "demo-data", "--db", f"sqlite:///{folder}/city.sqlite",
        "--content", str(folder / "content"), "--accounts", "4")  # fmt: skip
    key = next(folder.glob("city-keys/*.pub*"))
    run(*python, "plaza", "node", "init", "--data", str(data),
        "--central", "http://127.0.0.1:8311", "--city-key", str(key))  # fmt: skip
    run(*python, "plaza", "content", "import", str(folder / "content"), "--data", str(data))
    programs = [
        start(folder / "gate.log", *python, "plaza", "gate", "run", "--data", str(data),
              "--socket", str(gate), "--runtime", str(folder), "--interface", "guest0",
              "--uplink", "up0", "--portal-port", "8380"),
    ]  # fmt: skip
    try:
        until(gate.exists, "the gate")
        programs.append(
            start(folder / "portal.log", *python, "plaza", "portal", "run", "--data", str(data),
                  "--gate", "nft")
        )  # fmt: skip
        until(lambda: listens(8380), "the portal")

        def send_out() -> None:
            from captive_portal.gate.client import GateClient

            client = GateClient(gate)
            for visit in client.visits():  # type: ignore[union-attr]  # trouble would end the bench
                client.revoke(visit.ip)

        yield send_out
        rss(programs[1].pid)
    finally:
        for program in reversed(programs):
            program.terminate()
            program.wait(20)


def rss(pid: int) -> None:
    """Memory of the process that `ip netns exec` became."""
    text = Path(f"/proc/{pid}/status").read_text()
    kib = int(re.search(r"VmRSS:\s+(\d+)", text)[1])  # type: ignore[index]  # the kernel always says
    say("crowd: ours, the portal's memory after it all", kib / 1024, "MiB")


def become_opennds(config: str, phones: int) -> None:
    """Inside the node's namespaces: the places that openNDS expects, with its DHCP leases, then itself."""
    for place in ("/run", "/tmp"):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    Path("/run/tmpfiles.d").mkdir()
    leases = [
        f"0 02:66:00:00:{n >> 8:02x}:{n & 255:02x} {phone_ip(n)} m{n} *\n" for n in range(phones)
    ]
    Path("/tmp/dhcp.leases").write_text("".join(leases))
    # Its script gives the chains a priority that iptables-nft then refuses: the legacy back end does not.
    Path("/run/bin").mkdir()
    Path("/run/bin/iptables").symlink_to("/usr/sbin/iptables-legacy")
    os.environ["PATH"] = f"/run/bin:{_PATH}"
    os.execv("/usr/bin/opennds", ["opennds", "-f", "-d", "1", "-c", config])


@contextlib.contextmanager
def opennds(folder: Path) -> Iterator[Callable[[], None]]:
    config = folder / "opennds.conf"
    config.write_text(
        f"GatewayInterface guest0\nGatewayName bench\nMaxClients 1000\nlogin_option_enabled 1\n"
        f"use_outdated_mhd 1\nGatewayPort 2050\nGatewayAddress {GATEWAY}\n"
    )
    for tool in ("opennds", "ndsctl", "iptables"):
        if shutil.which(tool, path=_PATH) is None:
            raise FileNotFoundError(f"{tool} is not installed")
    log = folder / "opennds.log"
    program = start(
        log, sys.executable, "-P", __file__, "become-opennds", str(config), str(max(CROWDS))
    )

    def ndsctl(*words: str) -> str:
        inside = ("nsenter", "-t", str(program.pid), "-m", "-n")
        return run(*inside, "ndsctl", *words, check=False)

    try:
        until(lambda: program.poll() is not None or '"client' in ndsctl("json"), "openNDS")
        if program.poll() is not None:
            raise FileNotFoundError(log.read_text()[-300:].replace("\n", " "))

        def send_out() -> None:
            for address in re.findall(r'"ip":"([0-9.]+)"', ndsctl("json")):
                ndsctl("deauth", address)

        yield send_out
        times = []
        for n in range(10):
            # A probe makes it know the phone; then its gate alone, without its page.
            on_phones("probe", phone_ip(n))
            began = time.perf_counter()
            ndsctl("auth", phone_ip(n))
            times.append(time.perf_counter() - began)
        say(
            "crowd: opennds, its gate alone (ndsctl auth)",
            statistics.median(times) * 1000,
            "ms p50",
        )
    finally:
        program.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(15)
        program.kill()


def measure(who: str, send_out: Callable[[], None], peers: dict[int, str]) -> None:
    """Crowds of each size; one that was not served whole is followed by no larger one."""
    for count in CROWDS:
        rates, slow, failed = [], [], 0
        for _ in range(ROUNDS if who == "ours" else 1):
            result = on_phones("crowd", who, str(count))
            times = sorted(result["times"])
            failed += len(result["failed"])
            rates.append(len(times) / result["s"])
            slow.append(times[max(0, int(len(times) * 0.99) - 1)] * 1000 if times else 0.0)
            send_out()
        rate, p99 = statistics.median(rates), statistics.median(slow)
        note = f"{failed} of {count} failed: {result['failed'][:1]}" if failed else ""
        if who == "opennds":
            peers[count] = f"openNDS 9.10: {rate:.1f}/s, p99 {p99:,.0f} ms {note}".strip()
        peer = {"peer": note or peers.get(count, "")}
        what = f"crowd: {who}, {count} phones at once, page and tap"
        say(what, rate, "accepts/s", **peer)
        say(what, p99, "ms p99")
        if failed:
            break
    rate = float(on_phones("probes", "32")["rate"])
    if who == "opennds":
        peers[0] = f"openNDS 9.10: {rate:.1f}/s"
    say(f"crowd: {who}, probe answers to 32 phones", rate, "answers/s", peer=peers.get(0, ""))


def main() -> None:
    if sys.argv[1:2] == ["crowd"]:
        crowd(sys.argv[2], int(sys.argv[3]))
        return
    if sys.argv[1:2] == ["probes"]:
        probes(int(sys.argv[2]))
        return
    if sys.argv[1:2] == ["probe"]:
        ask(sys.argv[2], "http://connectivitycheck.gstatic.com/generate_204")
        print("{}")
        return
    if sys.argv[1:2] == ["become-opennds"]:
        become_opennds(sys.argv[2], int(sys.argv[3]))
    if os.geteuid() != 0:
        say("crowd: NOT RUN, needs root", 0, "")
        return
    peers: dict[int, str] = {}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        for who, portal in (("opennds", opennds), ("ours", ours)):
            if sys.argv[1:] and who not in sys.argv[1:]:
                continue
            place = Path(folder) / who
            place.mkdir()
            try:
                with town(max(CROWDS)), portal(place) as send_out:
                    measure(who, send_out, peers)
            except FileNotFoundError as e:
                say(f"crowd: {who} NOT RUN: {e}", 0, "")


if __name__ == "__main__":
    main()
