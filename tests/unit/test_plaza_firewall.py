"""What `plaza firewall` opens, as text; that it does so in a real kernel is shown in tests/network."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from captive_portal.gate.ruleset import GuestSide
from plaza.commands.firewall import firewall, has_ssh_key
from plaza.firewall import Doors, doors_of, render_open

SITE = '[network]\nguest = "br-guest"\nuplink = "eth0"\n'


def node(folder: Path, key: str = "") -> Path:
    folder.mkdir()
    (folder / "settings.toml").write_text('[portal]\nlisten = "0.0.0.0:8088"\n')
    if key:
        (folder / "ssh").mkdir()
        (folder / "ssh/authorized_keys").write_text(key)
    return folder


def test_the_portals_port_is_the_one_of_the_settings_and_ssh_needs_a_key(tmp_path: Path) -> None:
    shut = CliRunner().invoke(firewall, ["show", "--data", str(node(tmp_path / "a"))])
    opened = CliRunner().invoke(firewall, ["show", "--data", str(node(tmp_path / "b", "ssh-x y"))])

    assert "guests (br-guest) tcp: 53, 5300, 8088" in shut.output
    assert "everybody else tcp: nothing" in shut.output
    assert "everybody else tcp: 22" in opened.output


def test_an_empty_file_of_keys_lets_nobody_in(tmp_path: Path) -> None:
    data = node(tmp_path / "a", " ")
    assert has_ssh_key(data)
    (data / "ssh/authorized_keys").write_text("")
    assert not has_ssh_key(data)


def test_a_site_file_with_a_mistake_opens_nothing_and_says_where(tmp_path: Path) -> None:
    data = node(tmp_path / "a")
    (data / "site.toml").write_text(SITE + 'gast = "x"\n')

    told = CliRunner().invoke(firewall, ["open", "--data", str(data)])

    assert told.exit_code == 1
    assert "site.toml" in told.output


def test_every_set_is_emptied_before_it_is_filled() -> None:
    text = render_open(doors_of(GuestSide("br0", "eth0", 8380), ssh=False))

    for name in ("guests", "guest_udp", "guest_tcp", "other_tcp"):
        assert f"flush set inet plaza_node {name}\n" in text
    assert "add element inet plaza_node other_tcp" not in text


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_what_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match="is not a port"):
        Doors(("br0",), (53,), (port,))
