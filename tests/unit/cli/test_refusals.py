"""How commands end when they cannot do their work: one sentence and a code, never a traceback."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import Result

from tests.support.commands import run_command

LIST = ["tenants", "list"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in an empty directory, out of reach of this project's own engarde.toml."""
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, **environ: str) -> Result:
    """Run a command in this process."""
    return run_command(*arguments, environ=environ)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["tenants", "create"],
        ["tenants", "create", "--name", "a\nb"],
        ["tenants", "create", "--name", "x" * 256],
        ["keys", "create", "--tenant", "t", "--role", "king"],
        ["keys", "revoke"],
        ["run", "--port", "many"],
        ["tui", "--web", "--listen", "everywhere"],
        ["tui", "--web", "--listen", "127.0.0.1:70000"],
        ["tui", "--web", "--key", "eg_x"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str]):
    """A script can tell its own mistake from a refusal."""
    ended = run(*arguments)

    assert (ended.exit_code, ended.stdout) == (2, "")


def test_a_wrong_configuration_ends_with_3_and_all_its_faults():
    """The command says everything that is wrong, on standard error."""
    ended = run(*LIST, ENGARDE_SERVER__PORT="0", ENGARDE_LOG__LEVEL="loud")

    assert (ended.exit_code, ended.stdout) == (3, "")
    assert ended.stderr.startswith("engarde: The configuration is wrong:\n  log.level: must be")
    assert "\n  server.port: must be" in ended.stderr


def test_a_missing_configuration_file_ends_with_3():
    """A file that was asked for must be there."""
    ended = run(*LIST, "--config", "missing.toml")

    assert ended.exit_code == 3
    assert "missing.toml: cannot be read: No such file or directory" in ended.stderr


def test_the_file_in_the_working_directory_is_read():
    """Without `--config`, `engarde.toml` counts if it is there."""
    Path("engarde.toml").write_text("[server]\nprt = 1\n")

    ended = run(*LIST)

    assert "server.prt: is no setting" in ended.stderr
    assert "(from engarde.toml line 2)" in ended.stderr


def test_data_commands_make_no_database():
    """Looking for tenants in the wrong directory leaves nothing behind."""
    ended = run(*LIST, "--data-dir", "wrong")

    assert (ended.exit_code, ended.stdout) == (3, "")
    assert "There is no database in" in ended.stderr
    assert not Path("wrong").exists()


@pytest.mark.parametrize(
    "command",
    [LIST, ["retention"], ["archive", "status"], ["backup", "kept"]],
    ids=" ".join,
)
def test_a_data_directory_that_cannot_be_looked_into_is_named(command: list[str]):
    """As one of another user is; here it cannot be for its name, which holds for root as well."""
    ended = run(*command, "--data-dir", "x" * 300)

    assert (ended.exit_code, ended.stdout) == (3, "")
    assert "cannot be looked into (File name too long)" in ended.stderr


def test_a_log_that_cannot_be_written_is_named():
    """Before anything is started."""
    ended = run("run", ENGARDE_LOG__FILE="/dev/null/log")

    assert (ended.exit_code, ended.stdout) == (3, "")
    assert ended.stderr == "engarde: /dev/null: File exists.\n"


def test_an_unreachable_database_is_named_without_its_password():
    """The sentence says where it was looked for and which setting says so."""
    ended = run(*LIST, ENGARDE_POSTGRES__DSN="postgres://user:s3cret@127.0.0.1:1/name")

    assert ended.exit_code == 3
    assert "PostgreSQL (127.0.0.1:1/name) cannot be reached" in ended.stderr
    assert "[postgres] dsn" in ended.stderr
    assert "s3cret" not in ended.stderr


@pytest.mark.parametrize("password", ["s3/cret", "s3#cret", "[s3cret"])
def test_a_url_that_cannot_be_read_is_not_quoted(password: str):
    """A driver that trips over a password would print it."""
    dsn = f"postgres://user:{password}@127.0.0.1:1/name"

    ended = run(*LIST, ENGARDE_POSTGRES__DSN=dsn, ENGARDE_POSTGRES__CONNECT_TIMEOUT_S="0.5")

    assert ended.exit_code == 3
    assert "[postgres] dsn" in ended.stderr
    assert "s3" not in ended.stderr


def test_an_unknown_plan_is_refused_before_anything_is_touched():
    """The answer names the plans there are."""
    ended = run("tenants", "create", "--name", "Acme", "--plan", "gold")

    assert ended.exit_code == 1
    assert "there is no plan 'gold', only free, starter, professional" in ended.stderr


def test_doctor_reports_each_fault_of_the_configuration():
    """Doctor is where a wrong configuration is looked at, so it is an answer there."""
    ended = run("doctor", "--json", ENGARDE_SERVER__PORT="0", ENGARDE_LOG__LEVEL="loud")

    report = json.loads(ended.stdout)
    assert ended.exit_code == 1
    assert report["ok"] is False
    assert [check["check"] for check in report["checks"]] == ["configuration", "configuration"]


def test_doctor_before_the_first_start_finds_nothing_wrong():
    """An empty machine is in order; nothing is created by looking."""
    ended = run("doctor", "--json", "--data-dir", "data")

    report = json.loads(ended.stdout)
    assert (ended.exit_code, report["ok"]) == (0, True)
    assert {check["state"] for check in report["checks"]} == {"ok"}
    assert not Path("data").exists()


def test_doctor_says_what_to_do_about_a_data_directory_that_is_a_file():
    """A fault comes with advice, and the exit code tells scripts."""
    Path("data").write_text("")

    ended = run("doctor", "--data-dir", "data")

    assert ended.exit_code == 1
    assert "fault    data directory" in ended.stdout
    assert "[storage] data_dir" in ended.stdout


def test_doctor_finds_a_damaged_zerodb_file():
    """A file that is no database any more is a fault, and it is left as it is."""
    file = Path("data/zerodb/zerodb.sqlite3")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not a database" * 100)

    ended = run("doctor", "--data-dir", "data", "--json")

    (zerodb,) = [c for c in json.loads(ended.stdout)["checks"] if c["check"] == "ZeroDB"]
    assert (ended.exit_code, zerodb["state"]) == (1, "fault")
    assert file.read_bytes().startswith(b"not a database")


def test_doctor_reports_an_unreachable_database_and_goes_on():
    """One fault does not hide what else can be seen."""
    ended = run("doctor", "--json", ENGARDE_POSTGRES__DSN="postgres://user:s3cret@127.0.0.1:1/name")

    states = {c["check"]: c["state"] for c in json.loads(ended.stdout)["checks"]}
    assert states["PostgreSQL"] == "fault"
    assert states["ZeroDB"] == "ok"
    assert "s3cret" not in ended.stdout


def test_without_its_extra_the_dashboard_for_browsers_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
):
    """Before anything listens."""
    monkeypatch.setitem(sys.modules, "textual_serve", None)

    ended = run("tui", "--web")

    assert (ended.exit_code, ended.stdout) == (3, "")
    assert ended.stderr == (
        "engarde: The dashboard for browsers needs the extra `web`: "
        "pip install 'engarde-daemon[web]'.\n"
    )
