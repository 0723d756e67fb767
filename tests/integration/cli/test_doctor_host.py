"""What `engarde doctor` sees of settings, files and folders."""

import base64
import json
import sys
from pathlib import Path

import pytest

from engarde_daemon.cli.doctor.oddities import oddities
from engarde_daemon.config import load
from tests.integration.cli.conftest import Engarde
from tests.support.commands import run_command

SECRET = "s" * 32


def checks_of(run: Engarde, *arguments: str) -> dict[str, dict[str, str]]:
    """What doctor says, by check."""
    report = json.loads(run("doctor", "--json", *arguments).stdout)
    return {check["check"]: check for check in report["checks"]}


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        (
            {"SERVER__HOST": "0.0.0.0", "LIMITS__ALLOW_PRIVATE_ADDRESSES": "true"},  # noqa: S104 - read, not bound
            "allow_private_addresses",
        ),
        ({"CORS__ALLOW_ORIGINS": "*"}, "every web page"),
        ({"BIGQUERY__ANONYMOUS": "true"}, "signs in with nothing"),
        ({"POSTGRES__DSN": "postgresql://u@db.example.com/x?sslmode=disable"}, "plain text"),
        ({"ZERODB__MODE": "local", "ZERODB_NEXT__MODE": "local"}, "same store"),
        ({"ZERODB__MODE": "local", "DELIVERY__LEASE_S": "5"}, "done twice"),
        ({"HEALTH__PROBE_TIMEOUT_S": "30"}, "after more than a minute"),
        ({"SERVER__SHUTDOWN_GRACE_S": "1"}, "cut off"),
    ],
)
def test_what_is_odd_is_named(environ: dict[str, str], words: str):
    """Each in a sentence of its own, and nothing else with it."""
    settings = load(None, {f"ENGARDE_{name}": value for name, value in environ.items()})

    (odd,) = oddities(settings)

    assert words in odd


def test_defaults_are_not_odd():
    """Or everybody would be warned."""
    assert list(oddities(load(None, {}))) == []


def test_an_oddity_is_a_warning(run: Engarde, monkeypatch: pytest.MonkeyPatch):
    """The daemon works all the same."""
    monkeypatch.setenv("ENGARDE_CORS__ALLOW_ORIGINS", "*")

    assert checks_of(run)["settings"]["state"] == "warning"


@pytest.mark.parametrize(
    ("name", "mode", "state"),
    [
        ("credentials.json", 0o600, "ok"),
        ("credentials.json", 0o640, "warning"),
        ("secrets.key", 0o644, "warning"),
        ("secrets.key", 0o600, "ok"),
    ],
)
def test_keys_that_others_can_read_are_a_warning(
    run: Engarde, tmp_path: Path, name: str, mode: int, state: str
):
    """The file and its mode are named."""
    file = tmp_path / "data" / name
    file.parent.mkdir()
    file.write_bytes(base64.b64encode(bytes(32)))
    file.chmod(mode)

    check = checks_of(run, "--data-dir", str(tmp_path / "data"))["secret files"]

    assert check["state"] == state
    assert (f"{file} (mode {mode:04o})" in check["detail"]) == (state == "warning")


@pytest.mark.parametrize(("text", "state"), [(f'"{SECRET}"', "warning"), ('""', "ok")])
def test_a_secret_in_a_file_of_settings_that_all_can_read(
    run: Engarde, tmp_path: Path, text: str, state: str
):
    """A file without secrets may be read by everybody."""
    file = tmp_path / "engarde.toml"
    file.write_text(f"[auth]\njwt_secret = {text}\nissuer = 'i'\naudience = 'a'\n")
    file.chmod(0o644)

    check = checks_of(run)["secret files"]

    assert check["state"] == state
    assert SECRET not in json.dumps(check)


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("zerodb.api_key = 'k'", "warning"),
        ("zerodb = { api_key = 'k' }", "warning"),
        ("zerodb.api_key = ''  # in the environment", "ok"),
        ("postgres.dsn = 'postgresql://me:secret@db.invalid/x'", "warning"),
        ("postgres.dsn = 'postgresql://me@db.invalid:5432/x'", "ok"),
    ],
)
def test_a_secret_is_one_however_it_is_written(run: Engarde, tmp_path: Path, line: str, state: str):
    """TOML has several ways; and an address without a password is none."""
    file = tmp_path / "engarde.toml"
    file.write_text(line + "\n")
    file.chmod(0o644)

    assert checks_of(run)["secret files"]["state"] == state


@pytest.mark.parametrize("content", [None, b"no key"])
def test_a_key_file_without_keys_is_a_fault(
    run: Engarde, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
):
    """The daemon does not start without those that it was told of."""
    file = tmp_path / "engarde.key"
    if content is not None:
        file.write_bytes(content)
        file.chmod(0o600)
    monkeypatch.setenv("ENGARDE_SECRETS__KEY_FILE", str(file))

    check = checks_of(run)["secret files"]

    assert (check["state"], check["detail"][:18]) == ("fault", "[secrets] key_file")


def test_an_extra_that_a_setting_needs_is_a_fault_where_it_is_missing(
    run: Engarde, monkeypatch: pytest.MonkeyPatch
):
    """Spans, like everything else."""
    monkeypatch.setenv("ENGARDE_TELEMETRY__ENDPOINT", "http://127.0.0.1:4318/v1/traces")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http", None)

    check = checks_of(run)["program"]

    assert check["state"] == "fault"
    assert "engarde-daemon[otel]" in check["advice"]


def test_the_zerodb_to_move_to_is_looked_at_as_well(run: Engarde, monkeypatch: pytest.MonkeyPatch):
    """Before `engarde migrate zerodb` finds out."""
    monkeypatch.setenv("ENGARDE_ZERODB_NEXT__MODE", "local")
    monkeypatch.setenv("ENGARDE_ZERODB_NEXT__BASE_URL", "http://127.0.0.1:1/v1")

    checks = checks_of(run)

    assert (checks["ZeroDB"]["state"], checks["next ZeroDB"]["state"]) == ("ok", "fault")


def test_a_folder_that_cannot_be_one_is_a_fault(run: Engarde, tmp_path: Path):
    """For media, for the archive and for everything else; not even root can write into a file."""
    (tmp_path / "data").write_text("no folder")

    checks = checks_of(run, "--data-dir", str(tmp_path / "data"))

    for name in ("data directory", "media store", "archive"):
        assert checks[name]["state"] == "fault"
        assert checks[name]["advice"]


def test_a_media_store_that_does_not_answer_is_a_fault(tmp_path: Path):
    """Within its time, and with its address."""
    environ = {
        "ENGARDE_MEDIA__URL": "s3://bucket/folder",
        "ENGARDE_MEDIA__ENDPOINT": "http://127.0.0.1:1",
        "ENGARDE_MEDIA__TIMEOUT_S": "1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }

    done = run_command("doctor", "--json", "--data-dir", str(tmp_path / "d"), environ=environ)
    checks = {check["check"]: check for check in json.loads(done.stdout)["checks"]}

    assert checks["media store"]["state"] == "fault"
    assert "s3://bucket/folder" in checks["media store"]["detail"]


def test_a_server_with_too_little_room_is_a_warning(run: Engarde, monkeypatch: pytest.MonkeyPatch):
    """Before the daemon finds out under load."""
    monkeypatch.setenv("ENGARDE_POSTGRES__READER_CONNECTIONS", "900000")

    check = checks_of(run)["PostgreSQL"]

    assert check["state"] == "warning"
    assert "max_connections" in check["advice"]
