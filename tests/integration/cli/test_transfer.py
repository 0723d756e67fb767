"""`engarde export` and the other callers of a daemon, where what answers is not as it should be."""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from engarde_daemon.cli.transfer import door
from tests.integration.cli.conftest import Engarde, answer_of
from tests.support.commands import run_command

LINES = [json.dumps({"id": f"item {number}"}).encode() + b"\n" for number in range(3)]
NDJSON, HTML, JSON = "application/x-ndjson", "text/html", "application/json"


class Script(BaseHTTPRequestHandler):
    """Answers with what a test wrote down, one after the other; the last one again and again."""

    answers: ClassVar[list[tuple[str, bytes]]] = []
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answer, except for the look at the quota."""
        if self.path.startswith("/api/content/quota"):
            return self._answer(JSON, b"{}")
        self.asked.append(self.path)
        return self._answer(*(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]))

    def do_POST(self) -> None:
        """Take everything, and answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(*self.answers[0])

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def _answer(self, kind: str, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def server() -> Iterator[type[Script]]:
    """What plays the daemon."""
    Script.answers, Script.asked = [], []
    with HTTPServer(("127.0.0.1", 0), Script) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        Script.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
        yield Script
        server.shutdown()


@pytest.fixture
def run(server: type[Script], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engarde:
    """Run a command that calls the server, without pauses, in an empty directory.

    A proxy that the environment names is not asked for what is on this machine.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(door, "PAUSES_S", (0.0, 0.0))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    return partial(_run_at, server.url)  # type: ignore[attr-defined]


def _run_at(url: str, *arguments: str, key: str = "eg_key"):
    return run_command(*arguments, "--url", url, "--key", key, environ={})


def export_of(*lines: bytes) -> tuple[str, bytes]:
    """A whole export with these lines."""
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    last = {"complete": True, "items": len(lines), "sha256": digest}
    return NDJSON, b"".join(lines) + json.dumps(last, separators=(",", ":")).encode() + b"\n"


def test_nothing_that_came_damaged_is_kept(run: Engarde, server: type[Script]):
    """It is fetched again from where it was right, and the file holds what was sent."""
    kind, content = export_of(*LINES[1:])
    damaged = content.replace(b"item 2", b"item X", 1)
    server.answers = [(NDJSON, LINES[0]), (kind, damaged), (kind, content)]

    done = answer_of(run("export", "all.ndjson", "--json"))

    assert Path("all.ndjson").read_bytes() == export_of(*LINES)[1]
    assert done["items"] == 3
    assert [path.partition("after=")[2] for path in server.asked] == ["", "item+0", "item+0"]


def test_who_is_cut_off_is_told_how_to_go_on(run: Engarde, server: type[Script]):
    """The plain command would begin anew."""
    server.answers = [(NDJSON, LINES[0]), (NDJSON, b"")]

    ended = run("export", "all.ndjson")
    assert ended.exit_code == 3
    assert "repeat the command with --resume to go on" in ended.stderr
    assert Path("all.ndjson.part").read_bytes() == LINES[0]

    server.answers = [export_of(*LINES[1:])]
    assert answer_of(run("export", "all.ndjson", "--resume", "--json"))["items"] == 3
    assert Path("all.ndjson").read_bytes() == export_of(*LINES)[1]


def test_two_exports_do_not_write_one_file(run: Engarde, server: type[Script]):
    """The second is refused and leaves the first alone."""
    server.answers = [export_of(*LINES)]
    with Path("all.ndjson.part").open("wb") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        first.write(LINES[0])
        first.flush()

        ended = run("export", "all.ndjson")

    assert ended.exit_code == 1
    assert "Another export writes" in ended.stderr
    assert Path("all.ndjson.part").read_bytes() == LINES[0]


def test_what_is_no_export_is_not_gone_on_with(run: Engarde, server: type[Script]):
    """And is left as it is."""
    server.answers = [export_of(*LINES)]
    Path("all.ndjson.part").write_text("my notes\n")

    ended = run("export", "all.ndjson", "--resume")

    assert ended.exit_code == 1
    assert "holds something else than an export" in ended.stderr
    assert Path("all.ndjson.part").read_text() == "my notes\n"


def test_a_file_that_cannot_be_written_is_explained(run: Engarde, server: type[Script]):
    """Whatever the system says of it, or does not."""
    server.answers = [export_of(*LINES)]
    Path("all.ndjson.part").symlink_to("/dev/full")

    ended = run("export", "all.ndjson")

    assert ended.exit_code == 3
    assert ended.stderr.startswith("engarde: ")
    assert "None" not in ended.stderr


@pytest.mark.parametrize("kind", [HTML, JSON])
@pytest.mark.parametrize(
    "command", [("export", "all.ndjson"), ("import", "items.ndjson"), ("verify",)], ids=" ".join
)
def test_what_is_no_daemon_is_told_from_one(
    run: Engarde, server: type[Script], command: tuple[str, ...], kind: str
):
    """Also where it answers everything with 200."""
    server.answers = [(kind, b'{"hello": "world"}')]
    Path("items.ndjson").write_bytes(LINES[0])

    ended = run(*command)

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "is no daemon" in ended.stderr
    assert "look at --url" in ended.stderr


def test_who_answers_something_else_is_no_daemon(
    server: type[Script], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Many services have these routes, and are well."""
    monkeypatch.chdir(tmp_path)
    well = (JSON, b'{"status": "ok"}')
    server.answers = [well, well, ("text/plain", b"up 1\n")]
    port = server.url.rpartition(":")[2]  # type: ignore[attr-defined]

    ended = run_command("status", "--json", environ={"ENGARDE_SERVER__PORT": port})

    assert (ended.exit_code, json.loads(ended.stdout)["daemon"]["runs"]) == (1, False)


@pytest.mark.parametrize(
    "url", ["content.example.com", "http://host:port", "http://[::1", "ftp://x"]
)
def test_an_address_that_is_none_is_wrong_usage(url: str):
    """At once, and not after a minute of patience."""
    ended = run_command("verify", "--url", url, "--key", "eg_key", environ={})

    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "is no address" in ended.stderr


def test_a_key_that_no_header_can_carry_is_not_repeated(run: Engarde):
    """It came with a dash that a word processor made, or the like."""
    ended = run("verify", key="eg_secret–key")

    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "secret" not in ended.stderr
