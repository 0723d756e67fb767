"""A BigQuery REST API whose caller lacks permissions, and which says so as Google does.

It knows the calls of a start and no others: what it does not know it answers with 404, so that a
test fails which relies on anything else. Wording and shape of the refusals are Google's:
https://cloud.google.com/bigquery/docs/troubleshoot-access-denied
"""

import json
import re
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PROJECT, DATASET = "acme-prod", "engarde_analytics"
_ROOT = f"/bigquery/v2/projects/{PROJECT}"
_TABLE = rf"{_ROOT}/datasets/{DATASET}/tables/(?P<table>\w+)"


class _Api(ThreadingHTTPServer):
    """The server with what its caller may not do."""

    daemon_threads = True

    def __init__(self, missing: Collection[str], *, existing: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.missing = missing
        self.existing = existing


class _Handler(BaseHTTPRequestHandler):
    server: _Api

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == f"{_ROOT}/datasets/{DATASET}":
            self._guarded("bigquery.datasets.get", f"Dataset {PROJECT}:{DATASET}", self._dataset())
        elif found := re.fullmatch(_TABLE, path):
            thing = f"Table {PROJECT}:{DATASET}.{found['table']}"
            self._guarded("bigquery.tables.get", thing, None)
        else:
            self._not_found(path)

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if path == f"{_ROOT}/datasets":
            self._guarded("bigquery.datasets.create", f"Project {PROJECT}", self._dataset())
        elif path == f"{_ROOT}/datasets/{DATASET}/tables":
            self._guarded("bigquery.tables.create", f"Dataset {PROJECT}:{DATASET}", body)
        elif re.fullmatch(rf"{_TABLE}:testIamPermissions", path):
            held = [one for one in body["permissions"] if one not in self.server.missing]
            self._answer(200, {"permissions": held})
        elif path == f"{_ROOT}/queries":
            done = {"jobComplete": True, "schema": {"fields": []}, "rows": [], "totalRows": "0"}
            self._guarded("bigquery.jobs.create", f"Project {PROJECT}", done)
        else:
            self._not_found(path)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def _dataset(self) -> dict[str, Any] | None:
        reference = {"projectId": PROJECT, "datasetId": DATASET}
        made = {"datasetReference": reference, "location": "US"}
        return made if self.server.existing or self.command == "POST" else None

    def _guarded(self, permission: str, thing: str, answer: dict[str, Any] | None) -> None:
        if permission in self.server.missing:
            self._refuse(permission, thing)
        elif answer is None:
            self._not_found(thing)
        else:
            self._answer(200, answer)

    def _refuse(self, permission: str, thing: str) -> None:
        kind, _, name = thing.partition(" ")
        message = (
            f"Access Denied: {kind} {name}: User does not have {permission} permission in "
            f"project {name}."
            if kind == "Project"
            else f"Access Denied: {kind} {name}: Permission {permission} denied on "
            f"{kind.lower()} {name} (or it may not exist)."
        )
        self._fail(403, message, reason="accessDenied", status="PERMISSION_DENIED")

    def _not_found(self, thing: str) -> None:
        self._fail(404, f"Not found: {thing}", reason="notFound", status="NOT_FOUND")

    def _fail(self, code: int, message: str, *, reason: str, status: str) -> None:
        errors = [{"message": message, "domain": "global", "reason": reason}]
        problem = {"code": code, "message": message, "errors": errors, "status": status}
        self._answer(code, {"error": problem})

    def _answer(self, code: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json; charset=UTF-8")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def denying_bigquery(*missing: str, existing: bool = True) -> Iterator[str]:
    """The address of an API whose caller lacks these permissions; `existing` is the dataset."""
    api = _Api(missing, existing=existing)
    thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{api.server_port}"
    finally:
        api.shutdown()
        thread.join()
        api.server_close()
