"""A small server of files: ranges, ETags, records as Zenodo gives them, and lines that break off."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Shop:
    """What is served, what shall go wrong, and what was asked for."""

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.records: dict[str, object] = {}
        self.tags: dict[str, str] = {}
        self.break_after: list[int] = []  # bytes after which each of the next answers breaks off
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    def asked(self, path):
        return [headers for p, headers in self.requests if p == path]


@contextmanager
def serving():
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def log_message(self, *_):
            pass

        def do_GET(self):
            shop.requests.append((self.path, dict(self.headers)))
            if self.path in shop.records:
                body = json.dumps(shop.records[self.path]).encode()
                self._answer(200, body, {"Content-Type": "application/json"})
            elif self.path not in shop.files:
                self.send_error(404)
            else:
                self._file(shop.files[self.path], shop.tags.get(self.path, ""))

        def _file(self, body, tag):
            wanted, condition = self.headers.get("Range"), self.headers.get("If-Range")
            headers = {"ETag": tag} if tag else {}
            if wanted and tag and condition == tag:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                if start >= len(body):
                    self._answer(416, b"", headers)
                    return
                headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                self._answer(206, body[start:], headers)
            else:
                self._answer(200, body, headers)

        def _answer(self, code, body, headers):
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if body and "/api/" not in self.path and shop.break_after:
                body = body[: shop.break_after.pop(0)]
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
