"""U-Boot's built-in variables, made fit for a public place, without building U-Boot anew.

Debian's U-Boot waits two seconds for a key, on USB too, and gives whoever pressed one a prompt: on a
kiosk with a keypad a child would stop the node. It also starts from any USB stick when the card fails.
The variables are plain text in the file; they are replaced in place, and what they took stays taken.
"""

from __future__ import annotations

FIRST = b"bootcmd=bootflow scan\0"
WANTED = {
    b"bootdelay": b"-2",  # no key is looked at
    b"boot_targets": b"mmc",  # the card and nothing else
    b"stdin": b"serial",
}
GONE = (b"preboot", b"dhcpuboot")


def settle(raw: bytes) -> bytes:
    """The same file with our variables. SystemExit when it is not the U-Boot that this was written for."""
    begin = raw.find(FIRST)
    end = raw.find(b"\0\0", begin)
    if begin < 0 or end < 0 or raw.count(FIRST) != 1:
        raise SystemExit(
            "[image] this U-Boot keeps its variables elsewhere: see images/build/uboot.py"
        )
    known = dict(line.split(b"=", 1) for line in raw[begin:end].split(b"\0"))
    missing = [name.decode() for name in (*WANTED, *GONE) if name not in known]
    if missing:
        raise SystemExit(
            f"[image] this U-Boot has no {' '.join(missing)}: see images/build/uboot.py"
        )
    kept = {name: value for name, value in known.items() if name not in GONE} | WANTED
    block = b"\0".join(name + b"=" + value for name, value in kept.items())
    assert len(block) <= end - begin, "our variables take more than U-Boot's own"
    return raw[:begin] + block.ljust(end - begin, b"\0") + raw[end:]
