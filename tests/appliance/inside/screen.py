"""Asks the kiosk over its bench socket what is on the screen; prints its answer, one JSON object."""

from __future__ import annotations

import json
import socket
import sys

SOCKET = "/run/plaza-kiosk/remote"

if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(60)
        peer.connect(SOCKET)
        peer.sendall(json.dumps({"op": sys.argv[1]}).encode() + b"\n")
        print(peer.makefile().readline().strip())
