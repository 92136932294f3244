"""The bench page: the kiosk's live screen, every device, the portal as a phone, papers and journal."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import resources
from typing import Any

from flask import Flask, Response, abort, render_template, request, send_from_directory

from hardware.bench.desk import Deed
from hardware.bench.devices import DEVICES
from hardware.bench.scenario import Scalar, Scenario
from hardware.bench.shelf import find
from plaza.demo.bench_state import receipt_stems, scenario_titles, stage_state, story_state
from plaza.demo.remote import KioskSilent
from plaza.demo.show import FREE_PLAY, Show, possible
from plaza.demo.stage import Stage, StageFailed
from plaza.demo.world import do_network, do_power

__all__ = ["create_bench", "receipt_stems"]

SCAN_MAX = 200
FONTS = {w: f"AtkinsonHyperlegibleNext-{w.title()}.ttf" for w in ("regular", "bold")}
Current = Callable[[], Stage]


def _actions(stage: Stage, show: Show | None) -> dict[str, Callable[[], object]]:
    """Every switch on the page that is not a device's. The keys are part of the page's addresses."""
    network = show.network if show is not None else partial(do_network, stage)
    power = show.power if show is not None else partial(do_power, stage)
    return {
        "cut": lambda: network("cut"),
        "restore": lambda: network("restore"),
        "login-page": lambda: network("login_page"),
        "power-cut": lambda: power("power_cut"),
        "power-up": lambda: power("power_up"),
        "kiosk-restart": stage.kiosk.restart,
        "kiosk-kill": stage.kiosk.kill,
        "kiosk-start": stage.kiosk.start,
    }


def create_bench(stage: Stage, show: Show | None = None) -> Flask:
    """The page and its routes, over a running stage; with a show its stage may change."""
    app = Flask("plaza.demo", template_folder="templates", static_folder="static")
    app.before_request(_refuse_other_sites)

    def current() -> Stage:
        return show.stage if show is not None else stage

    _add_kiosk_routes(app, current)
    _add_world_routes(app, current, show)
    _add_picture_routes(app, current)
    _add_page_routes(app, current, show)
    if show is not None:
        _add_story_routes(app, show)
    return app


def _refuse_other_sites() -> None:
    """A page of another site must not be able to pull the plug of this one."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        abort(403)
    if request.host.split(":")[0] not in {"127.0.0.1", "localhost"}:
        abort(400)


def _add_kiosk_routes(app: Flask, current: Current) -> None:
    @app.get("/kiosk.png")
    def frame() -> Response:
        try:
            return Response(current().kiosk_remote.frame(), mimetype="image/png")
        except KioskSilent:
            return Response(status=503)

    @app.post("/kiosk/touch")
    def touch() -> Response:
        try:
            point = request.get_json()
            current().kiosk_remote.touch(int(point["x"]), int(point["y"]))
        except (KeyError, TypeError, ValueError):
            abort(400)
        except KioskSilent:
            return Response(status=503)
        return Response(status=204)


def _add_world_routes(app: Flask, current: Current, show: Show | None) -> None:
    def all_of_it() -> dict[str, Any]:
        return {**stage_state(current()), "story": story_state(show)}

    @app.get("/state")
    def state() -> dict[str, Any]:
        return all_of_it()

    @app.post("/do/<action>")
    def do(action: str) -> dict[str, Any]:
        actions = _actions(current(), show)
        if action not in actions:
            abort(404)
        actions[action]()
        return all_of_it()

    @app.post("/device/<name>/<verb>")
    def device(name: str, verb: str) -> dict[str, Any]:
        if name not in current().props.devices or verb not in DEVICES[name].verbs:
            abort(404)
        args = _arguments(name, verb, (request.get_json(silent=True) or {}).get("args", []))
        try:
            current().desk.do(Deed(name, verb, args))
        except (OSError, RuntimeError, ValueError) as trouble:
            abort(409, str(trouble))
        return all_of_it()


def _add_picture_routes(app: Flask, current: Current) -> None:
    @app.get("/camera.jpg")
    def camera() -> Response:
        stage = current()
        jpeg = stage.desk["camera"].jpeg() if "camera" in stage.props.devices else b""
        if not jpeg:
            abort(404)
        return Response(jpeg, mimetype="image/jpeg", headers={"Cache-Control": "no-store"})

    @app.get("/receipts/<path:name>")
    def receipt(name: str) -> Response:
        return send_from_directory(current().plan.receipts, name, max_age=0)


def _arguments(name: str, verb: str, args: Any) -> tuple[Scalar, ...]:
    """What a button carries, or a code to scan; anything else is refused."""
    given = tuple(args) if isinstance(args, list) else ()
    if (verb, given) in {(b.verb, b.args) for b in DEVICES[name].buttons}:
        return given
    if DEVICES[name].verbs[verb].kinds == (str,) and len(given) == 1:
        text = given[0]
        if isinstance(text, str) and 0 < len(text) <= SCAN_MAX and text.isprintable():
            return given
    abort(400)


def _add_page_routes(app: Flask, current: Current, show: Show | None) -> None:
    @app.get("/")
    def page() -> str:
        stage = current()
        return render_template(
            "bench.html",
            plan=stage.plan,
            token=stage.staff_token,
            devices=stage.desk.devices,
            scenario=show.scenario if show else None,
            titles=scenario_titles() if show else [],
            story=story_state(show),
        )

    @app.get("/font/<weight>.ttf")
    def font(weight: str) -> Response:
        if weight not in FONTS:
            abort(404)
        raw = (resources.files("kiosk.assets") / FONTS[weight]).read_bytes()
        return Response(raw, mimetype="font/ttf", headers={"Cache-Control": "max-age=86400"})


def _add_story_routes(app: Flask, show: Show) -> None:
    @app.post("/story/open/<name>")
    def open_story(name: str) -> tuple[dict[str, Any], int]:
        scenario = possible(FREE_PLAY) if name == FREE_PLAY.name else find(name)
        if not isinstance(scenario, Scenario):
            abort(404)
        if show.is_changing:
            return {"trouble": "ya se está montando otro escenario"}, 409
        try:
            show.open(scenario)
        except StageFailed as trouble:
            return {"trouble": str(trouble)}, 409
        return story_state(show), 200

    @app.post("/story/<act>")
    def act(act: str) -> dict[str, Any]:
        acts = {"play": show.play, "do-it": show.do_it_for_me}
        if act not in acts:
            abort(404)
        acts[act]()
        return story_state(show)
