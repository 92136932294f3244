"""The Internet of the gate's laboratory, on every address given: pages, downloads, uploads, echoes.

`/big` is 40 MB at once, `/drip` 1 KB every 20 ms. TCP 8082 says how many bytes it took. UDP 5001
answers each datagram with five. Standard library only.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"<!doctype html><title>Internet</title>"


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        try:
            if self.path == "/big":
                for _ in range(640):
                    self.wfile.write(b"x" * 65536)
            elif self.path == "/drip":
                for _ in range(3000):
                    self.wfile.write(b"x" * 1000)
                    time.sleep(0.02)
            else:
                self.wfile.write(PAGE)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: str, port: int) -> None:
        self.address_family = _family(address)
        super().__init__((address, port), Page)


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def tcp(address: str, port: int) -> None:
    server = socket.create_server((address, port), family=_family(address))
    while True:
        peer, _ = server.accept()
        threading.Thread(target=_sink, args=(peer,), daemon=True).start()


def _sink(peer: socket.socket) -> None:
    taken = 0
    try:
        with peer:
            while data := peer.recv(65536):
                taken += len(data)
            peer.sendall(str(taken).encode())
    except OSError:
        pass


def udp(address: str, port: int) -> None:
    server = socket.socket(_family(address), socket.SOCK_DGRAM)
    server.bind((address, port))
    while True:
        data, peer = server.recvfrom(2048)
        for _ in range(5 if port == 5001 else 1):
            server.sendto(data * (20 if port == 5001 else 1), peer)


if __name__ == "__main__":
    for here in sys.argv[1:]:
        for serve, port in (
            (tcp, 443), (tcp, 853), (tcp, 8081), (tcp, 8082), (tcp, 53),
            (udp, 443), (udp, 53), (udp, 5000), (udp, 5001), (udp, 853), (udp, 51820),
        ):  # fmt: skip
            threading.Thread(target=serve, args=(here, port), daemon=True).start()
        threading.Thread(target=Server(here, 80).serve_forever, daemon=True).start()
    threading.Event().wait()
