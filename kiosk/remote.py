"""Remote control over a Unix socket: pictures out, touches in. Only for a bench, and only when asked for.

One JSON request per line, one JSON line as reply. `frame` is answered by `{"png_bytes": N}` and N raw
bytes. Touches enter through Kivy's event loop as a finger's would, so the whole path is used. The socket
lives in a thread; everything that touches widgets or GL is handed to the main thread.
"""

from __future__ import annotations

import io
import json
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from typing import Any, TypeVar

from kivy.base import EventLoop
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.graphics.opengl import GL_RGBA, GL_UNSIGNED_BYTE, glReadPixels
from kivy.input.motionevent import MotionEvent

from kiosk.app import KioskApp
from kiosk.widgets.inventory import TargetInfo, visible_targets, visible_words

T = TypeVar("T")
MAIN_THREAD_TIMEOUT_S = 10.0
MAX_LINE = 64 * 1024


class RemoteTouch(MotionEvent):  # type: ignore[misc]  # kivy has no type information
    """A finger that nobody sees. `args` are x and y from 0 to 1, origin bottom left."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "is_touch": True, "type_id": "touch"})
        self.profile = ["pos"]

    def depack(self, args: Any) -> None:
        self.sx, self.sy = args
        super().depack(args)


_counter = iter(range(1, 2**31))


def press_at(x: float, y: float, done: Callable[[], None] | None = None) -> None:
    """A press and its release one frame later, at window dots from the top left. Main thread only."""
    width, height = Window.size
    touch = RemoteTouch("remote", f"remote{next(_counter)}", (x / width, 1 - y / height))
    EventLoop.post_dispatch_input("begin", touch)

    def release(*_: Any) -> None:
        EventLoop.post_dispatch_input("end", touch)
        if done is not None:
            done()

    Clock.schedule_once(release, 0)


def read_frame() -> tuple[int, int, bytes]:
    """The pixels on the glass: width, height and RGBA rows, bottom row first. Main thread only."""
    width, height = Window.size
    Window.dispatch("on_draw")
    return width, height, glReadPixels(0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE)


def encode_png(frame: tuple[int, int, bytes]) -> bytes:
    """PNG bytes of a frame, made for speed rather than size; any thread."""
    from PIL import Image

    width, height, pixels = frame
    image = Image.frombytes("RGBA", (width, height), pixels).convert("RGB")
    out = io.BytesIO()
    image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(out, "PNG", compress_level=1)
    return out.getvalue()


class RemoteControl:
    """The answers to each request; `answer` runs in the socket's thread."""

    def __init__(self, app: KioskApp) -> None:
        self._app = app

    def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The reply object and raw bytes to follow it."""
        try:
            match request.get("op"):
                case "frame":
                    png = encode_png(_on_main(read_frame))
                    return {"png_bytes": len(png)}, png
                case "touch":
                    _touch(float(request["x"]), float(request["y"]))
                    return {"ok": True}, b""
                case "devices":
                    return {"devices": self._devices()}, b""
                case "targets":
                    return _on_main(self._targets), b""
                case "tap":
                    return self._tap(str(request["id"])), b""
        except (KeyError, TypeError, ValueError) as e:
            return {"error": f"bad request: {e!r}"}, b""
        except TimeoutError as e:
            return {"error": str(e)}, b""
        return {"error": f"unknown op {request.get('op')!r}"}, b""

    def _visible(self) -> list[TargetInfo]:
        stage = self._app.stage
        return visible_targets(stage.overlay or stage, Window.size)

    def _targets(self) -> dict[str, Any]:
        stage = self._app.stage
        texts = [w.text for w in visible_words(stage.overlay or stage, Window.size)]
        return {
            "screen": str(self._app.conductor.screen),
            "overlay": stage.overlay is not None,
            "targets": [
                {"id": t.id, "x": t.visible.x, "y": t.visible.y, "w": t.visible.w,
                 "h": t.visible.h, "text": t.text, "enabled": t.enabled}
                for t in self._visible()
            ],
            "texts": texts,
        }  # fmt: skip

    def _devices(self) -> dict[str, dict[str, str]]:
        """State and cause of each device that the kiosk holds; asked here, not on the main thread."""
        statuses = self._app.house.statuses().items()
        return {name: {"state": s.state.value, "cause": s.cause} for name, s in statuses}

    def _tap(self, target_id: str) -> dict[str, Any]:
        found = {t.id: t for t in _on_main(self._visible)}
        target = found.get(target_id)
        if target is None:
            return {"error": f"no visible target {target_id!r}", "targets": sorted(found)}
        if not target.enabled:
            return {"error": f"target {target_id!r} is disabled"}
        if self._app.stage.guard.is_swallowing():
            return {"error": "no touch is taken yet: the screen has just changed"}
        part = target.visible
        _touch(part.x + part.w / 2, part.y + part.h / 2)
        return {"ok": True}


def _touch(x: float, y: float) -> None:
    """A whole touch; returns after the frame that shows what it did was asked for."""
    finished: Queue[bool] = Queue()

    def settled() -> None:
        Clock.schedule_once(lambda *_: finished.put(True), 0)

    Clock.schedule_once(lambda *_: press_at(x, y, settled))
    try:
        finished.get(timeout=MAIN_THREAD_TIMEOUT_S)
    except Empty:
        raise TimeoutError("the screen did not answer in time") from None


def _on_main(work: Callable[[], T]) -> T:
    """Run on the main thread and wait for the value."""
    box: Queue[T] = Queue()
    Clock.schedule_once(lambda *_: box.put(work()))
    try:
        return box.get(timeout=MAIN_THREAD_TIMEOUT_S)
    except Empty:
        raise TimeoutError("the screen did not answer in time") from None


class _Handler(socketserver.StreamRequestHandler):
    server: RemoteServer

    def handle(self) -> None:
        while line := self.rfile.readline(MAX_LINE):
            try:
                request = json.loads(line)
            except ValueError:
                request = None
            if isinstance(request, dict):
                reply, raw = self.server.control.answer(request)
            else:
                reply, raw = {"error": "a request is one JSON object per line"}, b""
            self.wfile.write(json.dumps(reply, ensure_ascii=False).encode() + b"\n" + raw)
            self.wfile.flush()


class RemoteServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Listens on a socket that only its owner may open."""

    daemon_threads = True

    def __init__(self, path: Path, control: RemoteControl) -> None:
        self.control = control
        self._path = path
        path.unlink(missing_ok=True)
        super().__init__(str(path), _Handler)
        path.chmod(0o600)

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, name="kiosk-remote", daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._path.unlink(missing_ok=True)
