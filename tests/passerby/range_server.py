"""A real HTTP server on loopback that serves bytes with Range, and fails in the ways that servers fail."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """What the server sends, how it behaves, and what it was asked."""

    files: dict[str, bytes]
    url: str = ""
    knows_range: bool = True
    break_after: list[int] = field(default_factory=list)
    """Bytes after which the n-th answer's connection breaks; no entry: it does not."""
    answer_with: list[int] = field(default_factory=list)
    """Status of the n-th answer instead of the file."""
    ranges: list[str | None] = field(default_factory=list)
    """The Range header of each request."""


@contextmanager
def range_server(files: dict[str, bytes]) -> Iterator[Served]:
    served = Served(files)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_GET(self) -> None:
            content = served.files[self.path.lstrip("/")]
            wanted = self.headers.get("Range")
            served.ranges.append(wanted)
            if served.answer_with and (status := served.answer_with.pop(0)) != 200:
                self.send_error(status)
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and served.knows_range else 0
            body = content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if served.break_after:
                self.wfile.write(body[: served.break_after.pop(0)])
                self.close_connection = True
            else:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
