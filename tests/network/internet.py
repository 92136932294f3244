"""The Internet of the namespace tests: a web page, two bare TCP ports and a UDP echo. Run as a script."""

from __future__ import annotations

import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"<!doctype html><title>Internet</title><h1>Hola desde internet</h1>"


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        if self.path == "/drip":
            self.end_headers()
            self._drip()
            return
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def _drip(self) -> None:
        """A download that would last a minute."""
        try:
            for _ in range(1200):
                self.wfile.write(b"x" * 1000)
                time.sleep(0.05)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


def tcp(address: str, port: int) -> None:
    server = socket.create_server((address, port))
    while True:
        peer, _ = server.accept()
        peer.sendall(b"open")
        peer.close()


def udp(address: str, port: int) -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, port))
    while True:
        data, peer = server.recvfrom(2048)
        server.sendto(data, peer)


if __name__ == "__main__":
    here = sys.argv[1]
    for serve, port in ((tcp, 443), (tcp, 8081), (udp, 443), (udp, 5000)):
        threading.Thread(target=serve, args=(here, port), daemon=True).start()
    ThreadingHTTPServer((here, 80), Page).serve_forever()
