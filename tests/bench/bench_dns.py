"""The name filter beside its peers, with the same names, questions and upstream.

Short by default. `make bench-dns`, or these variables, give the full tables:
    PLAZA_DNS_NAMES=1000000,5000000   names in the list
    PLAZA_DNS_PEERS=all               or dnsmasq,unbound,smartdns,pdns-recursor
    PLAZA_DNS_SECONDS=3 PLAZA_DNS_RUNS=3
dnsperf asks with 20 clients and 200 open questions; medians of the runs. "cold" names are asked once,
"warm" ones are 2,000 names again and again; the mix is 80 % allowed (half cold, half warm), 20 % blocked.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import statistics
import string
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from dns_engines import ENGINES, HERE, NEXT, REAL, Engine, Plaza, free_port, installed

SECONDS = float(os.environ.get("PLAZA_DNS_SECONDS", "1"))
RUNS = int(os.environ.get("PLAZA_DNS_RUNS", "1"))
SIZES = [int(n) for n in os.environ.get("PLAZA_DNS_NAMES", "100000").split(",")]
PEERS = os.environ.get("PLAZA_DNS_PEERS", "dnsmasq")
RATE = 1000
"""Questions per second while latency is read and while lists are swapped: a busy plaza asks fewer."""
SWAPS = 20
QUESTIONS = int(100_000 * SECONDS)
TLDS = ("com", "net", "org", "mx", "com.mx", "info", "xyz", "io")
LETTERS = string.ascii_lowercase + string.digits


def say(what: str, value: float, unit: str, **more: str) -> None:
    print(json.dumps({"what": what, "value": round(value, 3), "unit": unit, **more}), flush=True)


def names(seed: int) -> Iterator[str]:
    """Endless synthetic names of the lengths of real lists (about 16 bytes), all different."""
    dice = random.Random(seed)
    number = 0
    while True:
        number += 1
        label = "".join(dice.choices(LETTERS, k=dice.randint(2, 12)))
        sub = "".join(dice.choices(string.ascii_lowercase, k=dice.randint(2, 6))) + "."
        yield f"{sub if dice.random() < 0.25 else ''}{label}{seed}{number:x}.{dice.choice(TLDS)}"


def write_questions(folder: Path, listed: Path) -> None:
    dice = random.Random(9)
    with listed.open() as lines:
        some = [line[:-1] for i, line in enumerate(lines) if i % max(1, SIZES[0] // 100_000) == 0]
    warm_pool = [f"www.{n}" for n, _ in zip(names(5), range(2000), strict=False)]
    cold = names(7)

    def blocked() -> str:
        return dice.choice(("", "www.")) + dice.choice(some)

    def mixed() -> str:
        if dice.random() < 0.2:
            return blocked()
        return next(cold) if dice.random() < 0.5 else dice.choice(warm_pool)

    makers = {
        "blocked": blocked,
        "warm": lambda: dice.choice(warm_pool),
        **{f"mix{run}": mixed for run in range(RUNS)},
    }
    for what, make in makers.items():
        (folder / what).write_text("".join(f"{make()} A\n" for _ in range(QUESTIONS)))
    # One file per run: a name that was asked is not cold again.
    for what in [f"{kind}{run}" for kind in ("cold", "alone") for run in range(RUNS)]:
        (folder / what).write_text("".join(f"{next(cold)} A\n" for _ in range(QUESTIONS)))
    dice.seed(11)
    (folder / "rate").write_text("".join(f"{mixed()} A\n" for _ in range(RATE * 60)))


def dnsperf(port: int, questions: Path, *more: str) -> str:
    argv = ["dnsperf", "-s", HERE, "-p", str(port), "-d", str(questions), "-c", "20", "-T", "1"]
    return subprocess.run([*argv, *more], capture_output=True, text=True, check=True).stdout


def rate(engine: Engine, port: int, questions: Path) -> tuple[float, float]:
    """Answers per second, and microseconds of processor for each: a busy machine changes only the first."""
    before = engine.cpu_s()
    text = dnsperf(port, questions, "-q", "200", "-l", str(SECONDS))
    used = engine.cpu_s() - before
    asked = int(re.search(r"Queries completed:\s+(\d+)", text)[1])  # type: ignore[index]
    per_second = float(re.search(r"Queries per second:\s+([\d.]+)", text)[1])  # type: ignore[index]
    return per_second, used * 1e6 / max(asked, 1)


def rates(engine: Engine, port: int, files: list[Path]) -> tuple[float, float]:
    runs = [rate(engine, port, file) for file in files]
    return statistics.median(r for r, _ in runs), statistics.median(c for _, c in runs)


def latency_p99_ms(port: int, questions: Path) -> float:
    text = dnsperf(port, questions, "-Q", str(RATE), "-l", str(max(1.0, SECONDS)), "-v")
    found = sorted(float(m) for m in re.findall(r"^> \w+ \S+ \w+ ([\d.]+)$", text, re.MULTILINE))
    return found[int(len(found) * 0.99)] * 1000 if found else float("nan")


def swaps(engine: Engine, questions: Path, count: int) -> tuple[int, int, float]:
    """Questions asked and lost while `count` lists arrive; seconds from the first swap until it counts."""
    took = 0.0
    stop = threading.Event()

    def bring() -> None:
        nonlocal took
        try:
            time.sleep(0.3)
            began = time.perf_counter()
            engine.swap()
            engine.wait(lambda: engine.blocks(NEXT), 900)
            took = time.perf_counter() - began
            for _ in range(count - 1):
                engine.swap()
                time.sleep(0.15)
        except RuntimeError as e:
            print(e, file=sys.stderr)
            took = float("inf")
        finally:
            stop.set()

    worker = threading.Thread(target=bring)
    worker.start()
    asked = lost = 0
    while not stop.is_set():
        text = dnsperf(engine.port, questions, "-Q", str(RATE), "-n", "1", "-t", "2")
        asked += int(re.search(r"Queries sent:\s+(\d+)", text)[1])  # type: ignore[index]
        lost += int(re.search(r"Queries lost:\s+(\d+)", text)[1])  # type: ignore[index]
        lost += sum(int(n) for n in re.findall(r"SERVFAIL (\d+)", text))
    worker.join()
    return asked, lost, took


def measure(engine: Engine, questions: Path) -> dict[str, float]:
    found: dict[str, float] = {"ready": engine.start()}
    found["resident"], found["anonymous at start"] = engine.memory_mib()
    for what in ("blocked", "warm", "cold", "mix"):
        files = [
            questions / (f"{what}{run}" if what in ("cold", "mix") else what) for run in range(RUNS)
        ]
        found[what], found[f"{what} cpu"] = rates(engine, engine.port, files)
    found["p99"] = statistics.median(
        latency_p99_ms(engine.port, questions / "rate") for _ in range(RUNS)
    )
    found["resident"], found["anonymous"] = engine.memory_mib()
    short = questions / "swap"
    short.write_text(
        "".join((questions / "rate").read_text().splitlines(keepends=True)[: 2 * RATE])
    )
    count = SWAPS if isinstance(engine, Plaza) else 1
    found["asked"], found["lost"], found["swap"] = swaps(engine, short, count)
    found["alone"], found["alone cpu"] = found["cold"], found["cold cpu"]
    if isinstance(engine, Plaza):
        port = engine.launch_alone()
        files = [questions / f"alone{run}" for run in range(RUNS)]
        found["alone"], found["alone cpu"] = rates(engine, port, files)
    return found


UNITS = {
    "cold": ("allowed names, cold, through dnsmasq", "q/s", ">= 25x"),
    "alone": ("allowed names, cold, dnsdist alone", "q/s", ""),
    "warm": ("allowed names, warm", "q/s", ""),
    "blocked": ("blocked names", "q/s", ">= 2x"),
    "alone cpu": ("processor per allowed cold name, dnsdist alone", "us", ""),
    "cold cpu": ("processor per allowed cold name, through dnsmasq", "us", ""),
    "warm cpu": ("processor per allowed warm name", "us", ""),
    "blocked cpu": ("processor per blocked name", "us", ""),
    "mix": ("80 % allowed, 20 % blocked", "q/s", ""),
    "p99": (f"p99 of the mix at {RATE} q/s", "ms", ""),
    "ready": ("ready after start", "s", "< 1"),
    "resident": ("resident memory", "MiB", ""),
    "anonymous": ("anonymous memory", "MiB", "< 40"),
    "lost": ("questions lost in list swaps", "lost", "0"),
    "swap": ("next list in force after", "s", ""),
}


def _beside(theirs: float, ours: float, unit: str) -> str:
    """A peer's figure, and how many times better ours is where that means something."""
    text = f"{theirs:,.0f}" if theirs >= 100 else f"{theirs:.3g}"
    if unit not in ("q/s", "us") or not ours or not theirs:
        return text
    return f"{text} ({ours / theirs if unit == 'q/s' else theirs / ours:.1f}x)"


def table(size: int, results: dict[str, dict[str, float]]) -> None:
    label = f"{size // 1000}k" if size < 1_000_000 else f"{size / 1e6:g}M"
    ours = results.pop("plaza")
    for key, (what, unit, goal) in UNITS.items():
        beside = [
            f"{peer} {_beside(found[key], ours[key], unit)}" for peer, found in results.items()
        ]
        # How much slower dnsmasq gets depends on the size: that goal is about a real list.
        is_goal = goal and (key != "cold" or size >= 1_000_000)
        more = {"goal": goal} if is_goal else {}
        if key == "lost":
            what = f"{what} ({SWAPS}; peers 1) of {ours['asked']:,.0f}"
        say(f"DNS {label}: {what}", ours[key], unit, **more, peer="; ".join(beside))
    say(f"DNS {label}: list built in", ours["build"], "s")


def upstream(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A resolver to which every name exists, fast enough not to be what is measured."""
    port = free_port()
    conf = folder / "upstream.conf"
    conf.write_text(
        f'setLocal("{HERE}:{port}")\nsetSecurityPollSuffix("")\nsetMaxUDPOutstanding(65535)\n'
        f'addAction(QTypeRule(DNSQType.A), SpoofAction("{REAL}", {{ttl=300}}))\n'
        "addAction(AllRule(), RCodeAction(DNSRCode.NOERROR))\n"
    )
    argv = ["dnsdist", "--supervised", "--disable-syslog", "-C", str(conf)]
    with (folder / "upstream.log").open("wb") as log:
        return subprocess.Popen(argv, stdout=log, stderr=log), port


def main() -> int:
    wanted = installed() if PEERS == "all" else ["plaza", *PEERS.split(",")]
    if "plaza" not in installed() or shutil.which("dnsperf") is None:
        print("bench_dns needs dnsdist, dnsmasq and dnsperf", file=sys.stderr)
        return 1
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="plaza-dns-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            listed = folder / "names.txt"
            with listed.open("w") as out:
                out.writelines(f"{n}\n" for n, _ in zip(names(3), range(size), strict=False))
            write_questions(folder, listed)
            internet, port = upstream(folder)
            results: dict[str, dict[str, float]] = {}
            for peer in wanted:
                (folder / peer).mkdir()
                engine = ENGINES[peer][0](peer, folder / peer, port)
                try:
                    engine.prepare(listed)
                    results[peer] = measure(engine, folder)
                    if isinstance(engine, Plaza):
                        results[peer]["build"] = engine.build_s
                except RuntimeError as e:
                    print(e, file=sys.stderr)
                finally:
                    engine.stop()
                shutil.rmtree(folder / peer)
                print(peer, size, results.get(peer), file=sys.stderr, flush=True)
            internet.terminate()
            internet.wait()
            table(size, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
