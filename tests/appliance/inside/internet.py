"""The Internet of the street: one web server behind the uplink. `/large` is four MiB."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGE = bytes(4 * 1024 * 1024)


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = LARGE if self.path == "/large" else b"this is the Internet"
        status = 204 if self.path == "/generate_204" else 200
        self.send_response(status)
        self.send_header("Content-Length", "0" if status == 204 else str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], 80), Page).serve_forever()
