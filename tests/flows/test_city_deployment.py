"""The city as its engineer deploys it: PostgreSQL with roles, two processes, nginx with TLS, backups.

The files are those that ship in `central/deploy`; only addresses and paths are the test's own.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from central.trial_postgres import NoPostgres, trial_postgres
from municipio.facts import FactDraft, FactType
from municipio.usecases.ports import Recorded
from sync.datadir import DataDir
from sync.wiring import Memory, open_memory

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin") or ""
HOST = "plaza.ejemplo.example"
AS_POSTGRES = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


def central(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "central", *words]


def plaza(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "plaza", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < end, f"nobody listens on {port}"
            time.sleep(0.05)


@dataclass
class Deployment:
    url: str
    ca: Path
    db: str
    superuser_db: str
    processes: list[subprocess.Popen[str]]

    def run(self, *words: str) -> str:
        done = subprocess.run(
            central(*words, "--db", self.db), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def make_certificates(home: Path) -> None:
    """A CA, and a certificate that is valid only years from now: as a node without a clock sees it."""
    start = datetime.now(UTC) + timedelta(days=2000)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA de prueba")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    base = x509.CertificateBuilder().issuer_name(ca_name).not_valid_before(start)
    base = base.not_valid_after(start + timedelta(days=30))
    ca = base.subject_name(ca_name).public_key(ca_key.public_key()).serial_number(1)
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    leaf = base.subject_name(name).public_key(leaf_key.public_key()).serial_number(2)
    leaf = leaf.add_extension(
        x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False
    )
    pem = serialization.Encoding.PEM
    (home / "ca.pem").write_bytes(ca.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    (home / "city.pem").write_bytes(leaf.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    (home / "city.key").write_bytes(
        leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@contextmanager
def nginx(home: Path, ports: list[int]) -> Iterator[int]:
    """The shipped site in an nginx of its own."""
    listen = free_port()
    site = resources.files("central.deploy").joinpath("nginx-site.conf").read_text()
    for before, after in (
        ("server 127.0.0.1:8311", f"server 127.0.0.1:{ports[0]}"),
        ("server 127.0.0.1:8312", f"server 127.0.0.1:{ports[1]}"),
        ("listen 443 ssl http2", f"listen 127.0.0.1:{listen} ssl http2"),
        ("/etc/ssl/plaza/city.pem", str(home / "city.pem")),
        ("/etc/ssl/private/plaza-city.key", str(home / "city.key")),
        ("/var/log/nginx/plaza-city.log", str(home / "site.log")),
    ):
        assert before in site, before
        site = site.replace(before, after)
    (home / "site.conf").write_text(site)
    temporary = "".join(
        f"{kind}_temp_path {home}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    (home / "nginx.conf").write_text(
        f"{user}daemon off;\npid {home}/nginx.pid;\nerror_log {home}/nginx.log;\n"
        f"events {{ worker_connections 256; }}\nhttp {{\n{temporary}include {home}/site.conf;\n}}\n"
    )
    server = subprocess.Popen([NGINX, "-p", str(home), "-c", str(home / "nginx.conf")])
    try:
        wait_for(listen)
        yield listen
    finally:
        server.terminate()
        server.wait(timeout=20)


@contextmanager
def process(db: str, keys: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    run = central("run", "--db", db, "--keys", str(keys), "--proxy", "127.0.0.1")
    listen = ["--listen", f"127.0.0.1:{port}", "--staff-token", "ficha"]
    server = subprocess.Popen([*run, *listen], stdout=subprocess.PIPE, text=True)
    try:
        wait_for(port)
        yield server
    finally:
        server.terminate()
        server.wait(timeout=30)
        assert server.stdout is not None
        server.stdout.close()


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    if not NGINX:
        pytest.skip("NOT RUN: install Debian's nginx-light to test the city's deployment")
    home = tmp_path_factory.mktemp("city")
    make_certificates(home)
    keys = home / "keys"
    with ExitStack() as stack:
        try:
            postgres = stack.enter_context(trial_postgres(("fsync=off",)))
        except NoPostgres as missing:
            pytest.skip(f"NOT RUN: {missing}")
        roles = resources.files("central.deploy").joinpath("roles.sql").read_text()
        psql(postgres.format(database="postgres"), roles)
        db = as_role(postgres.format(database="plaza"), "plaza-central")
        subprocess.run(
            central("key", "create", "--db", db, "--keys", str(keys)),
            check=True,
            capture_output=True,
        )
        subprocess.run(central("migrate", "--db", db), check=True, capture_output=True)
        ports = [free_port(), free_port()]
        running = [stack.enter_context(process(db, keys, port)) for port in ports]
        listen = stack.enter_context(nginx(home, ports))
        superuser = postgres.format(database="postgres")
        url = f"https://localhost:{listen}"
        yield Deployment(url, home / "ca.pem", db, superuser, running)


def as_role(url: str, role: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{role}@{rest.partition('@')[2]}"


def psql(url: str, text: str) -> str:
    done = subprocess.run(
        ["psql", "-v", "ON_ERROR_STOP=1", "-At", url], input=text, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def opened(data: DataDir) -> Memory:
    memory = open_memory(data)
    assert isinstance(memory, Memory), memory
    return memory


def record(data: DataDir, number: int) -> None:
    memory = opened(data)
    for n in range(number):
        draft = FactDraft(FactType.REPORT_FILED, {"service_code": "luminaria", "n": n})
        assert isinstance(memory.ledger.record(draft), Recorded)
    memory.close()


@pytest.fixture(scope="module")
def node(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> DataDir:
    """A node that a technician enrolled through nginx, by its code."""
    place = tmp_path_factory.mktemp("node")
    code = deployment.run("enrol-code", "--site", "Plaza (demostración)", "--preapproved").strip()
    done = plaza(
        "enrol", "--code", code, "--central", deployment.url, "--ca", str(deployment.ca),
        "--data", str(place),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return DataDir(place)


def test_a_node_delivers_over_tls_although_its_clock_finds_no_certificate_valid(
    deployment: Deployment, node: DataDir
) -> None:
    record(node, 3)
    pushed = plaza("sync", "push", "--data", str(node.path))
    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    assert psql(deployment.db, "SELECT count(*) FROM facts WHERE lane = 'rep'").strip() == "3"


def test_a_certificate_of_another_authority_is_refused(node: DataDir, tmp_path: Path) -> None:
    other = tmp_path / "node"
    shutil.copytree(node.path, other)
    (tmp_path / "pki").mkdir()
    make_certificates(tmp_path / "pki")
    settings = (other / "settings.toml").read_text()
    line = next(line for line in settings.splitlines() if line.startswith("ca_file"))
    changed = settings.replace(line, f'ca_file = "{tmp_path}/pki/ca.pem"')
    (other / "settings.toml").write_text(changed)
    record(DataDir(other), 1)
    pushed = plaza("sync", "push", "--data", str(other))
    assert pushed.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in pushed.stdout + pushed.stderr


def test_the_other_process_goes_on_when_one_dies(deployment: Deployment, node: DataDir) -> None:
    deployment.processes[0].kill()
    deployment.processes[0].wait(timeout=20)
    before = int(psql(deployment.db, "SELECT count(*) FROM facts WHERE lane = 'rep'"))
    record(node, 2)
    pushed = plaza("sync", "push", "--data", str(node.path))
    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    after = int(psql(deployment.db, "SELECT count(*) FROM facts WHERE lane = 'rep'"))
    assert after == before + 2


def test_the_reading_role_reads_and_writes_nothing(deployment: Deployment) -> None:
    reader = as_role(deployment.db, "plaza-lectura")
    assert int(psql(reader, "SELECT count(*) FROM nodes")) >= 1
    with pytest.raises(AssertionError, match="permission denied"):
        psql(reader, "DELETE FROM facts")


def test_a_restored_dump_holds_every_fact_byte_for_byte(
    deployment: Deployment, tmp_path: Path
) -> None:
    dump = tmp_path / "plaza.dump"
    subprocess.run(["pg_dump", "-Fc", "-f", dump, deployment.db], check=True)
    target = deployment.db.replace("/plaza?", "/restored?")
    psql(deployment.superuser_db, 'CREATE DATABASE restored OWNER "plaza-central";')
    subprocess.run(["pg_restore", "--no-owner", "-d", target, dump], check=True)
    kept = deployment.run("facts")
    restored = subprocess.run(
        central("facts", "--db", target), capture_output=True, text=True, check=True
    ).stdout
    assert kept
    assert restored == kept


def test_a_disaster_is_undone_up_to_the_moment_before_it() -> None:
    """Base backup and archived WAL, as the how-to sets them up; then everything is deleted."""
    archive = Path(tempfile.mkdtemp(prefix="plaza-wal-"))
    archive.chmod(0o777)  # PostgreSQL runs as a user of its own
    settings = (
        "wal_level=replica", "archive_mode=on", f"archive_command='cp %p {archive}/%f'",
    )  # fmt: skip
    try:
        with trial_postgres(settings) as postgres:
            db = postgres.format(database="postgres")
            psql(db, "CREATE TABLE pagos (folio text); INSERT INTO pagos VALUES ('antes');")
            base = archive / "base"
            backup = [
                "pg_basebackup",
                "-d",
                db,
                "-D",
                base,
                "-X",
                "none",
                "-c",
                "fast",
                "--no-sync",
            ]
            subprocess.run([*AS_POSTGRES, *backup], check=True, capture_output=True, cwd="/")
            psql(db, "INSERT INTO pagos VALUES ('después del respaldo');")
            moment = psql(db, "SELECT clock_timestamp()").strip()
            psql(db, "DELETE FROM pagos;")
            last = psql(db, "SELECT pg_walfile_name(pg_current_wal_lsn())").strip()
            psql(db, "SELECT pg_switch_wal();")
            wait_until((archive / last).exists)
        with restored(base, archive, moment) as recovered:
            kept = psql(recovered, "SELECT folio FROM pagos ORDER BY folio").split("\n")
        assert kept[:2] == ["antes", "después del respaldo"]
    except NoPostgres as missing:
        pytest.skip(f"NOT RUN: {missing}")
    finally:
        shutil.rmtree(archive, ignore_errors=True)


@contextmanager
def restored(base: Path, archive: Path, moment: str) -> Iterator[str]:
    """PostgreSQL on the restored files, recovered up to a moment."""
    wanted = (
        f"restore_command = 'cp {archive}/%f %p'\nrecovery_target_time = '{moment}'\n"
        f"recovery_target_action = 'promote'\nunix_socket_directories = '{archive}'\n"
        "listen_addresses = ''\narchive_mode = off\n"
    )
    with (base / "postgresql.conf").open("a") as file:
        file.write(wanted)
    (base / "recovery.signal").touch()
    if os.geteuid() == 0:
        shutil.chown(base / "recovery.signal", "postgres", "postgres")
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    control = [*AS_POSTGRES, binaries / "pg_ctl", "-D", base]
    start = [*control, "-w", "-l", archive / "log", "start"]
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL, cwd="/")
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    url = f"postgresql://{user}@/postgres?host={archive}"
    try:
        wait_until(lambda: psql(url, "SELECT pg_is_in_recovery()").strip() == "f")
        yield url
    finally:
        stop = [*control, "-m", "immediate", "stop"]
        subprocess.run(stop, check=True, stdout=subprocess.DEVNULL, cwd="/")


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "waited 30 s in vain"
        time.sleep(0.05)
