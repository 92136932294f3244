"""Coverage-guided bytes for what a technician's card may hold (atheris, libFuzzer).

    .venv/bin/python tests/fuzz/fuzz_site_file.py -max_total_time=60

The first byte chooses: any bytes as they are, or pieces of a good file put together anew. Whatever comes is
a plan or faults; a plan's file, blanked of its secrets, is a plan again.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["municipio.site_file", "plaza.site.planner"]):
    from municipio.site_file.fault import SiteFault, error_text
    from municipio.site_file.keys import KEYS
    from municipio.site_file.parse import parse_site_file
    from municipio.site_file.plan import SitePlan
    from municipio.site_file.write import write_site_file
    from plaza.site.planner import plan_steps
    from plaza.site.steps import Blank, Seen

GOOD = write_site_file(
    {
        "site.name": "Parque", "site.number": 7, "city.url": "https://a.example", "city.letters": "COA",
        "city.inegi": "30039", "city.code": "Z3WA-2M9D-XR4T-8WNH", "wifi.ssid": "Plaza",
        "technician.code": "40712885",
    }
)  # fmt: skip
PIECES = [line for line in GOOD.splitlines() if not line.startswith("#")] + [
    f"{key.name} = {key.example!r}" for key in KEYS if key.example
]


def one_input(data: bytes) -> None:
    if not data:
        return
    raw = data[1:]
    if data[0] % 2:
        raw = "\n".join(PIECES[byte % len(PIECES)] for byte in raw).encode()
    read = parse_site_file(raw)
    if isinstance(read, SitePlan):
        steps = plan_steps(Seen({"plaza.toml": raw}, salt=b"salt"))
        for step in steps:
            if isinstance(step, Blank):
                again = parse_site_file(step.content)
                assert isinstance(again, SitePlan), again
                assert not again.secrets()
    else:
        assert read
        assert all(isinstance(fault, SiteFault) for fault in read)
        assert error_text(read, serves_with_last=True)
        plan_steps(Seen({"plaza.toml": raw}))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
