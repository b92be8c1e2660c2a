#!/usr/bin/env python3
"""Feeds jobs_python_worker: what nb_aio_task does with use_pickle=False, without its packages.

usage: jobs_python_producer.py [HOST:PORT or PATH_OF_SOCKET]
"""

import json
import socket
import sys


def connect(where):
    if where.startswith("/"):
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(where)
        return peer
    host, port = where.rsplit(":", 1)
    return socket.create_connection((host, int(port)))


def submit(peer, queue, *args, **kwargs):
    """One RPUSH; the reply is the number of calls that wait."""
    call = json.dumps({"args": args, "kwargs": kwargs})
    words = [word.encode() for word in ("RPUSH", f"nb_aio_task:{queue}", call)]
    peer.sendall(b"*%d\r\n" % len(words)
                 + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
    reply = peer.makefile("rb").readline().decode().strip()
    if not reply.startswith(":"):
        sys.exit(f"jobs_python_producer: {reply or 'no reply'}")


def main():
    with connect(sys.argv[1] if len(sys.argv) > 1 else "localhost:6379") as peer:
        for x in range(10):
            submit(peer, "sums", x, x)
        submit(peer, "sums", x=20, y=22)


if __name__ == "__main__":
    main()
