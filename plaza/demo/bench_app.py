"""The bench page: the kiosk's live screen, the portal as a phone, the receipts and the switches."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, render_template, request, send_from_directory

from plaza.demo.remote import KioskSilent
from plaza.demo.stage import Stage

LATEST_RECEIPTS = 6


def _actions(stage: Stage) -> dict[str, Callable[[], object]]:
    """Every switch on the page. The keys are part of the page's addresses."""
    return {
        "cut": stage.cut_network,
        "restore": stage.restore_network,
        "paper-out": stage.printer.paper_out,
        "paper-in": stage.printer.load_paper,
        "card-approve": stage.terminal.approve,
        "card-decline": stage.terminal.decline,
        "kiosk-restart": stage.kiosk.restart,
        "kiosk-kill": stage.kiosk.kill,
        "kiosk-start": stage.kiosk.start,
    }


def _link(stage: Stage) -> dict[str, Any]:
    """What the sync worker last wrote about the talk with the city; empty when it wrote nothing."""
    try:
        report: dict[str, Any] = json.loads((stage.plan.node / "run" / "link.json").read_text())
        return report
    except (OSError, ValueError):
        return {}


def _state(stage: Stage) -> dict[str, Any]:
    return {
        "network": stage.cable.whole,
        "programs": {
            p.name: p.running for p in (stage.kiosk, stage.portal, stage.sync, stage.central)
        },
        "printer": stage.printer.state(),
        "charges": stage.terminal.charges()[-4:],
        "link": _link(stage),
        "receipts": receipt_stems(stage.plan.receipts)[:LATEST_RECEIPTS],
    }


def receipt_stems(folder: Path) -> list[str]:
    """Names of the receipts that came out, newest first. A receipt is complete when its PNG exists."""
    return sorted((p.stem for p in folder.glob("*.png")), reverse=True)


def create_bench(stage: Stage) -> Flask:
    """The page and its routes, over a running stage."""
    app = Flask("plaza.demo", template_folder="templates", static_folder="static")
    app.before_request(_refuse_other_sites)
    _add_kiosk_routes(app, stage)
    _add_world_routes(app, stage)
    return app


def _refuse_other_sites() -> None:
    """A page of another site must not be able to pull the plug of this one."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        abort(403)
    if request.host.split(":")[0] not in {"127.0.0.1", "localhost"}:
        abort(400)


def _add_kiosk_routes(app: Flask, stage: Stage) -> None:
    @app.get("/kiosk.png")
    def frame() -> Response:
        try:
            return Response(stage.kiosk_remote.frame(), mimetype="image/png")
        except KioskSilent:
            return Response(status=503)

    @app.post("/kiosk/touch")
    def touch() -> Response:
        try:
            point = request.get_json()
            stage.kiosk_remote.touch(int(point["x"]), int(point["y"]))
        except (KeyError, TypeError, ValueError):
            abort(400)
        except KioskSilent:
            return Response(status=503)
        return Response(status=204)


def _add_world_routes(app: Flask, stage: Stage) -> None:
    actions = _actions(stage)

    @app.get("/")
    def page() -> str:
        return render_template("bench.html", plan=stage.plan, token=stage.staff_token)

    @app.get("/state")
    def state() -> dict[str, Any]:
        return _state(stage)

    @app.post("/do/<action>")
    def do(action: str) -> dict[str, Any]:
        if action not in actions:
            abort(404)
        actions[action]()
        return _state(stage)

    @app.get("/receipts/<path:name>")
    def receipt(name: str) -> Response:
        return send_from_directory(stage.plan.receipts, name, max_age=0)
