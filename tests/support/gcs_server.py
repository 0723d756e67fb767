"""A strict little server of the part of Cloud Storage's XML API that the daemon uses.

https://cloud.google.com/storage/docs/xml-api/reference-methods
Whatever it does not know is answered with 501, so that a test fails instead of passing by luck.
"""

import email.utils
import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "engarde-media"
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class GoogleStorage(ThreadingHTTPServer):
    """The bucket and its unfinished uploads."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def gcs_serving() -> Iterator[GoogleStorage]:
    """A server until the block ends."""
    with GoogleStorage() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: GoogleStorage

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has there
        """Say nothing."""

    def do_PUT(self) -> None:
        key, query = self._asked()
        body = self.rfile.read(int(self.headers["content-length"]))
        if "uploadId" in query:
            self.server.uploads[query["uploadId"]][int(query["partNumber"])] = body
        elif not query:
            self.server.objects[key] = body
        else:
            return self._answer(501)
        return self._answer(200, headers=_marks(body))

    def do_POST(self) -> None:
        key, query = self._asked()
        self.rfile.read(int(self.headers.get("content-length") or 0))
        if query == {"uploads": ""}:
            upload = str(len(self.server.uploads) + 1)
            self.server.uploads[upload] = {}
            told = (
                f"<InitiateMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>{escape(key)}</Key>"
                f"<UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            )
            return self._answer(200, told.encode())
        if query.keys() == {"uploadId"}:
            parts = self.server.uploads.pop(query["uploadId"])
            self.server.objects[key] = b"".join(parts[number] for number in sorted(parts))
            told = (
                "<CompleteMultipartUploadResult><ETag>done</ETag></CompleteMultipartUploadResult>"
            )
            return self._answer(200, told.encode(), _marks(self.server.objects[key]))
        return self._answer(501)

    def do_GET(self) -> None:
        key, query = self._asked()
        if not key:
            return self._answer(200, self._listing(query["prefix"]))
        body = self.server.objects.get(key)
        if body is None:
            return self._answer(404)
        span = _RANGE.fullmatch(self.headers.get("range") or "")
        if span is None:
            return self._answer(200, body, _marks(body))
        first, last = int(span[1]), min(int(span[2]), len(body) - 1)
        told = {**_marks(body), "content-range": f"bytes {first}-{last}/{len(body)}"}
        return self._answer(206, body[first : last + 1], told)

    def do_DELETE(self) -> None:
        key, query = self._asked()
        if "uploadId" in query:
            return self._answer(204 if self.server.uploads.pop(query["uploadId"], None) else 404)
        return self._answer(404 if self.server.objects.pop(key, None) is None else 204)

    def _asked(self) -> tuple[str, dict[str, str]]:
        url = urlsplit(self.path)
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        assert bucket == BUCKET, self.path
        return key, dict(parse_qsl(url.query, keep_blank_values=True))

    def _listing(self, prefix: str) -> bytes:
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(body)}</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>x</ETag></Contents>"
            for key, body in sorted(self.server.objects.items())
            if key.startswith(prefix)
        )
        return f"<ListBucketResult>{entries}</ListBucketResult>".encode()

    def _answer(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _marks(body: bytes) -> dict[str, str]:
    return {
        "ETag": f'"{hashlib.sha256(body).hexdigest()}"',
        "Last-Modified": email.utils.formatdate(usegmt=True),
        "x-goog-generation": "1",
    }
