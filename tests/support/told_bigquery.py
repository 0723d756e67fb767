"""A BigQuery REST API that answers as a test tells it, for what the emulator never says.

It is an HTTP server on loopback, spoken to by Google's own client. What it was not told it answers
with 404, so that a test fails which relies on anything else.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

PROJECT = "acme-prod"
ROOT = f"/bigquery/v2/projects/{PROJECT}"
UPLOAD = f"/upload{ROOT}"
HELD_S = 0.02


class Told(NamedTuple):
    """An answer."""

    status: int
    body: Mapping[str, Any]


Answering = Callable[[int], Told]
"""The answer to the so-manyth request of its kind, from 0."""


class ToldBigQuery(ThreadingHTTPServer):
    """The server; `asked` counts requests by method and path, without their queries."""

    daemon_threads = True

    def __init__(self, answers: Mapping[str, Answering]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.asked = Counter[str]()

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: ToldBigQuery

    def do_GET(self) -> None:
        """As BigQuery does, hold an answer for a while: its client asks again at once."""
        time.sleep(HELD_S)
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def _answer(self) -> None:
        name = f"{self.command} {self.path.partition('?')[0]}"
        number, self.server.asked[name] = self.server.asked[name], self.server.asked[name] + 1
        answering = self.server.answers.get(name, lambda _: refusal(404, "notFound"))
        told = answering(number)
        content = json.dumps(told.body).encode()
        self.send_response(told.status)
        self.send_header("content-type", "application/json; charset=UTF-8")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def told_bigquery(answers: Mapping[str, Answering]) -> Iterator[ToldBigQuery]:
    """A server that runs as long as the context."""
    api = ToldBigQuery(answers)
    thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield api
    finally:
        api.shutdown()
        thread.join()
        api.server_close()


def refusal(status: int, reason: str) -> Told:
    """An error as BigQuery writes it."""
    errors = [{"message": "no", "domain": "global", "reason": reason}]
    return Told(status, {"error": {"code": status, "message": "no", "errors": errors}})


def job(kind: str, state: str = "DONE", **told: Any) -> Told:
    """A job as BigQuery writes it."""
    return Told(
        200,
        {
            "jobReference": {"projectId": PROJECT, "jobId": "job", "location": "US"},
            "configuration": {"jobType": kind.upper(), kind: {}},
            "status": {"state": state},
            "statistics": {"query": {"statementType": "SELECT"}},
            **told,
        },
    )
