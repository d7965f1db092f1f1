"""Serving an application until it is told to stop."""

import logging
import socket
import threading

import uvicorn
from fastapi import FastAPI

from passerby.cli.serving.listening import Place
from passerby.errors import TransportError

_PATIENCE_S = 5
"""How long requests under way may take when it stops."""
_LOOK_S = 0.5
_MOST_CONNECTIONS = 1000


def serve(app: FastAPI, place: Place, listener: socket.socket, *, stop: threading.Event) -> None:
    """Serve at `listener` until `stop`. Raises TransportError where the server ends by itself."""
    server = uvicorn.Server(_config(app, place))
    # In a thread of its own it leaves the signals to us.
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="web")
    thread.start()
    while thread.is_alive() and not stop.wait(_LOOK_S):
        pass
    ended = not stop.is_set()
    app.state.feed.is_over = True  # open streams end, so that they are not waited for
    server.should_exit = True
    thread.join()
    if ended:
        raise TransportError("the web server ended by itself; its log says why")


def log_server() -> None:
    """What the server has to say goes where our own log goes: warnings, and the trace of a fault of ours."""
    logger = logging.getLogger("uvicorn")
    for handler in logging.getLogger("passerby").handlers:
        logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    logger.propagate = False


def _config(app: FastAPI, place: Place) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ssl_certfile=place.certificate,
        ssl_keyfile=place.key,
        proxy_headers=place.behind_proxy is not None,
        forwarded_allow_ips=place.behind_proxy,
        server_header=False,
        access_log=False,
        log_config=None,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_PATIENCE_S,
    )
