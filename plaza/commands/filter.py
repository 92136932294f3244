"""`plaza filter`: lists become the node's filter; a technician asks it why a name does not resolve."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import click
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from captive_portal.filter import node as filter_node
from captive_portal.filter.baseline import build_baseline
from captive_portal.filter.build import BuildPlan, BuildTrouble, build, parse_allow
from captive_portal.filter.cdb import CdbDamaged
from captive_portal.filter.database import Facts, Unusable, check_database, open_database
from captive_portal.filter.names import NameProblem, parse_name
from captive_portal.filter.policy import Category
from captive_portal.filter.reading import ListUnreadable, find_lists
from captive_portal.filter.safesearch import renew_file
from captive_portal.filter.signing import check_signature, is_signed, trailer
from captive_portal.filter.store import BASELINE, ListStore
from municipio.settings import SettingsError
from municipio.wire.keys import KeyFormatError, PublicKey, load_public
from plaza.options import data_or_here_option, json_option
from sync.datadir import DataDir
from sync.keys import KeyMissing, load_city_key

_FILE = click.Path(path_type=Path, dir_okay=False)


class _Day(click.ParamType[date]):
    name = "date"

    def convert(self, value: object, param: object, ctx: object) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            raise click.UsageError(f"«{value}» is not a date such as 2026-01-31") from None


@click.group("filter")
def filter() -> None:
    """What does not resolve on the guests' network, and why."""


@filter.command("build")
@click.argument("lists", nargs=-1, required=True, metavar="LISTS...")
@click.option("--out", required=True, type=_FILE, help="The list file to write.")
@click.option("--category", type=click.Choice(list(Category)), help="Of lists that tell none.")
@click.option("--allow", multiple=True, type=_FILE, help="Names that are never blocked.")
@click.option("--date", "day", type=_Day(), help="Day of the list. Default: today (UTC).")
@click.option("--previous", type=_FILE, help="Last list: keeps since when each name is listed.")
@click.option("--notice", default="", help="A line about the list, shown to who looks at it.")
@json_option
def build_(
    lists: tuple[str, ...],
    out: Path,
    category: str | None,
    allow: tuple[Path, ...],
    day: date | None,
    previous: Path | None,
    notice: str,
    as_json: bool,
) -> None:
    """Compile hosts, plain, Adblock Plus and RPZ lists (also .gz) into one file.

    Each of LISTS is CATEGORY=FILE, a folder, or a file that tells its category by a first line
    `# category: adult` or by its name. Categories: adult, doh-vpn, drugs, gambling, malware,
    phishing, violence.
    """
    try:
        names = tuple(n for path in allow for n in parse_allow(path.read_text("utf-8")))
        files = find_lists(list(lists), Category(category) if category else None)
        today = datetime.now(UTC).date()
        report = build(BuildPlan(files, out, day or today, names, previous, notice))
    except (BuildTrouble, ListUnreadable, OverflowError, UnicodeDecodeError) as e:
        raise click.ClickException(str(e)) from None
    except OSError as e:
        raise click.ClickException(f"{e.filename}: {e.strerror}") from None
    click.echo(json.dumps(report.document(), ensure_ascii=False) if as_json else report.text())


@filter.command()
@click.argument("file", type=_FILE)
@click.option("--key", type=_FILE, help="City's public key (PEM): the signature must fit.")
@json_option
def check(file: Path, key: Path | None, as_json: bool) -> None:
    """Read every record of a list FILE, and its signature where a key is given."""
    facts = check_database(file)
    if isinstance(facts, Unusable):
        raise click.ClickException(facts.detail)
    trouble = check_signature(file, _public(key)) if key else None
    if trouble:
        raise click.ClickException(trouble.detail)
    signed = "signed by the city" if key else "signed" if is_signed(file) else "not signed"
    if as_json:
        click.echo(json.dumps({**msgspec.to_builtins(facts), "signature": signed}))
    else:
        click.echo(f"{_facts_text(facts)}\n{signed}")


@filter.command()
@click.option("--db", required=True, type=_FILE, help="A list file.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def test(db: Path, names: tuple[str, ...]) -> None:
    """One line per NAME: the name, a tab, its categories or `allowed`."""
    database = open_database(db)
    if isinstance(database, Unusable):
        raise click.ClickException(database.detail)
    try:
        for name in names:
            asked = parse_name(name, broad=True)
            entry = None if isinstance(asked, NameProblem) else database.entry(asked)
            click.echo(f"{name}\t{','.join(sorted(entry[1])) if entry and entry[1] else 'allowed'}")
    except CdbDamaged as e:
        raise click.ClickException(f"{db}: {e}") from None
    finally:
        database.close()


@filter.command()
@click.argument("file", type=_FILE)
@click.option("--key", required=True, type=_FILE, help="City's private key (PEM).")
def sign(file: Path, key: Path) -> None:
    """Add the city's signature at the end of a list FILE; nodes take no other."""
    facts = check_database(file)
    if isinstance(facts, Unusable):
        raise click.ClickException(facts.detail)
    if is_signed(file):
        raise click.ClickException(f"{file} is already signed")
    _sign(file, _private(key))
    click.echo(f"signed: {file} of {facts.date}, {facts.names:,} names")


@filter.command()
@click.option("--out", required=True, type=_FILE, help="The list file to write.")
@click.option("--key", required=True, type=_FILE, help="City's private key (PEM).")
@click.option("--allow", multiple=True, type=_FILE, help="Names that are never blocked.")
def baseline(out: Path, key: Path, allow: tuple[Path, ...]) -> None:
    """Make the signed list that an image brings: known DoH servers and demonstration names."""
    private = _private(key)
    try:
        names = tuple(n for path in allow for n in parse_allow(path.read_text("utf-8")))
        report = build_baseline(out, names)
        _sign(out, private)
    except (BuildTrouble, ListUnreadable, UnicodeDecodeError) as e:
        raise click.ClickException(str(e)) from None
    except OSError as e:
        raise click.ClickException(f"{e.filename}: {e.strerror}") from None
    click.echo(report.text())


@filter.command()
@data_or_here_option
@click.argument("file", type=_FILE)
@click.option("--older", is_flag=True, help="Also when it is older than the list in use.")
def install(data: Path, file: Path, older: bool) -> None:
    """Make a signed FILE this node's list; the one in use stays when FILE is not good."""
    key = load_city_key(DataDir(data))
    if isinstance(key, KeyMissing):
        raise click.ClickException(key.detail)
    try:
        facts = ListStore(DataDir(data).path / "filter").install(file, key, older=older)
    except OSError as e:
        raise click.ClickException(f"{e.filename}: {e.strerror}") from None
    if isinstance(facts, Unusable):
        raise click.ClickException(f"{facts.detail}; the list in use stays")
    click.echo(f"in use: the list of {facts.date}, {facts.names:,} names")


@filter.command()
@data_or_here_option
@click.option("--baseline", type=_FILE, default=BASELINE, show_default=True)
@json_option
def status(data: Path, baseline: Path, as_json: bool) -> None:
    """Which list this node uses and how old it is; exit 1 when none can be read."""
    serving = ListStore(DataDir(data).path / "filter", baseline).serving()
    if isinstance(serving, Unusable):
        if as_json:
            click.echo(json.dumps({"list": None, "detail": serving.detail}))
        raise click.ClickException(
            f"no list can be read, only the walled garden resolves ({serving.detail})"
        )
    facts = serving.facts
    days = (datetime.now(UTC).date() - date.fromisoformat(facts.date)).days
    if as_json:
        about = {"file": str(serving.path), "baseline": serving.is_baseline, "age_days": days}
        click.echo(json.dumps({"list": {**about, **msgspec.to_builtins(facts)}}))
        return
    origin = "the image's baseline" if serving.is_baseline else "from the city"
    click.echo(f"{serving.path} ({origin}), {max(days, 0)} days old\n{_facts_text(facts)}")


@filter.command()
@data_or_here_option
@click.option("--site", type=_FILE, help="The site's rules. Default: DATA/site.toml.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--seen-at", type=click.Path(path_type=Path), help="DATA/filter for the daemons.")
@click.option("--upstream", multiple=True, metavar="ADDR", help="Resolver on the uplink.")
@click.option("--baseline", type=_FILE, default=BASELINE, show_default=True)
def render(
    data: Path,
    site: Path | None,
    out: Path,
    seen_at: Path | None,
    upstream: tuple[str, ...],
    baseline: Path,
) -> None:
    """Write what dnsdist, dnsmasq and the gate read: dnsdist.conf, names.conf, doh.txt."""
    node = DataDir(data)
    key = load_city_key(node)
    try:
        settings = node.settings()
        made = filter_node.render(
            node,
            filter_node.read_site(node, settings, site),
            out,
            city=None if isinstance(key, KeyMissing) else key,
            zone=settings.text("city.timezone"),
            upstream=upstream,
            seen_at=seen_at,
            baseline=baseline,
        )
    except (filter_node.CannotRender, SettingsError, OSError) as e:
        raise click.ClickException(str(e)) from None
    for detail in made.refused:
        click.echo(f"set aside: {detail}", err=True)
    click.echo(f"{made.folder}: dnsdist.conf, names.conf, doh.txt")


@filter.command()
@data_or_here_option
@click.option("--site", type=_FILE, help="The site's rules. Default: DATA/site.toml.")
def refresh(data: Path, site: Path | None) -> None:
    """Look up the addresses of the safe search names on the uplink; dnsmasq notices by itself."""
    node = DataDir(data)
    try:
        profile = filter_node.read_site(node, node.settings(), site)
        path = node.path / "filter" / filter_node.SAFE_HOSTS
        address = str(profile.network.gateway4.ip)
        changed = renew_file(path, address, filter_node.look_up_on_uplink)
    except (filter_node.CannotRender, SettingsError, OSError) as e:
        raise click.ClickException(str(e)) from None
    click.echo(f"{path}: {'renewed' if changed else 'as it was'}")


def _facts_text(facts: Facts) -> str:
    kinds = ", ".join(f"{c} {n:,}" for c, n in facts.categories.items()) or "none"
    lines = [f"list of {facts.date}, first of {facts.base}: {facts.names:,} names", f"  {kinds}"]
    lines += [f"  {s.category}: {s.name}, {s.names:,} names" for s in facts.lists]
    return "\n".join([*lines, *([f"  {facts.notice}"] if facts.notice else [])])


def _sign(file: Path, private: Ed25519PrivateKey) -> None:
    end = trailer(file, private.sign, private.public_key())
    with file.open("ab") as stream:
        stream.write(end)


def _public(path: Path) -> PublicKey:
    try:
        return load_public(path.read_bytes())
    except (OSError, KeyFormatError) as e:
        raise click.ClickException(f"{path}: {e}") from None


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as e:
        raise click.ClickException(f"{path}: not a private key that can be used: {e}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise click.ClickException(f"{path}: not an Ed25519 key")
    return key
