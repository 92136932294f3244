"""The portal of a node whose first site file is wrong: one page that says so, whatever is asked.

Nothing is recorded and nobody is let in. A phone that asks whether there is Internet gets this page too,
so its sheet opens by itself.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from flask import Flask, Response

from captive_portal.counters import Counters
from captive_portal.server import make_server, proof_of_life
from sync.notify import Pulse, Supervisor

PROOF_S = 20.0

_PAGE = """<!doctype html><html lang="es"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>Nodo sin configurar</title>
<style>body{{font:1.1rem/1.5 sans-serif;max-width:36rem;margin:0 auto;padding:1.2rem;color:#13233a;
background:#f6f4ef}}li{{margin:.6rem 0}}h1{{font-size:1.5rem}}.box{{background:#fff;border:1px solid #ccc;
border-radius:.8rem;padding:.4rem 1rem .4rem 2.2rem}}</style></head><body>
<h1>El archivo plaza.toml no se puede usar</h1>
<p>Este nodo todavía no atiende. Para quien lo instala:</p>
<ol class="box">{faults}</ol>
<p>Apague, ponga la tarjeta en una computadora, corrija <b>plaza.toml</b> y encienda otra vez. Lo mismo
está escrito en <b>plaza-error.txt</b>, en la tarjeta.</p>
<p lang="en">This node is not set up yet. Its site file is wrong; the card says why.</p></body></html>
"""


def create_waiting_app(faults: Sequence[str]) -> Flask:
    app = Flask("captive_portal.waiting", static_folder=None)
    page = _PAGE.format(faults="".join(f"<li>{html.escape(f)}</li>" for f in faults))

    @app.get("/")
    @app.get("/<path:_path>")
    def explain(_path: str = "") -> Response:
        response = Response(page, mimetype="text/html")
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app


def run_waiting(faults: Sequence[str], listen: str, threads: int, supervisor: Supervisor) -> None:
    """Serve until interrupted. OSError for a taken address."""
    server = make_server(create_waiting_app(faults), listen, threads, Counters())
    pulse = Pulse(supervisor, lambda: proof_of_life(server, supervisor.beat_s or PROOF_S))
    pulse.start()
    try:
        server.run()
    finally:
        pulse.stop()
