"""Gunicorn's settings: ``gunicorn --config python:rld_platform.web_server rld_platform.wsgi:application``.

A process answers one request at a time and takes the next from the kernel's queue when it is free, so nobody waits
behind a busy process while another is idle. The price: a slow line holds a process, so people who come over slow lines
need a buffering proxy in front, as they do for HTTPS.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from rld_platform import environment as env

SLOWEST_UPLOAD_S = 600
DATA_WITHIN_S = 30

bind = f"{env.text('HOST', '127.0.0.1')}:{env.number('PORT', 8000, 1, 65535)}"
workers = env.number("WEB_CONCURRENCY", 4, 1, 64)
worker_class = "sync"
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else "/tmp"  # noqa: S108
timeout = SLOWEST_UPLOAD_S
loglevel = "warning"
# Loaded before the processes are forked: their memory is shared, and none is ready long before the others.
preload_app = True


def when_ready(server: Any) -> None:
    """Hand over connections when their request arrives: browsers open some ahead, which would hold a process each."""
    if hasattr(socket, "TCP_DEFER_ACCEPT"):
        for listener in server.LISTENERS:
            listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, DATA_WITHIN_S)
