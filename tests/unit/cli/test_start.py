"""What `engarde` loads, and what its help teaches."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version

import pytest
import rich_click as click
from click.testing import CliRunner

from engarde_daemon.cli.commands import engarde

HEAVY = {
    "asyncpg",
    "duckdb",
    "google",
    "litestar",
    "sqlite3",
    "structlog",
    "textual",
    "uvicorn",
    "uvloop",
}


def leaves(command: click.Command = engarde, *path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its full name."""
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from leaves(child, *path, name)
    else:
        yield " ".join(path), command


COMMANDS = dict(leaves())


def examples_of(command: click.Command) -> list[str]:
    """The lines that a command's help tells its reader to try."""
    return [line[2:] for line in (command.epilog or "").split("\n") if line.startswith("$ ")]


@pytest.mark.parametrize("arguments", [["--help"], ["tenants", "create", "--help"], ["--version"]])
def test_help_loads_nothing_that_only_work_needs(arguments: list[str]):
    """No driver, no server and no dashboard is imported before a command runs."""
    program = (
        "import json, sys\n"
        "from engarde_daemon.cli import main\n"
        "try:\n"
        f"    sys.argv[1:] = {arguments!r}\n"
        "    main()\n"
        "finally:\n"
        "    print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert HEAVY.isdisjoint(json.loads(run.stderr))


def test_the_commands_are_those_that_scripts_rely_on():
    """Names are an interface: none of them may go unnoticed."""
    assert set(COMMANDS) == {
        "run",
        "archive query",
        "archive status",
        "archive parked",
        "archive retry",
        "archive backfill",
        "backup take",
        "backup verify",
        "demo",
        "doctor",
        "export",
        "import",
        "migrate schema",
        "migrate campaign-assets",
        "migrate content-items",
        "migrate zerodb",
        "tenants create",
        "tenants list",
        "tenants set-plan",
        "keys create",
        "keys list",
        "keys revoke",
        "restore backup",
        "tui",
        "restore content",
        "restore metadata",
        "retention",
        "status",
        "verify",
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_pointed_at_a_configuration(name: str):
    """Each takes `--config` and `--data-dir`, and each that answers takes `--json`.

    But a backup is read as it is, and the demonstration makes a place of its own.
    """
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}

    assert {"--config", "--data-dir"} <= options or name in {"backup verify", "demo"}
    assert "--json" in options or name in {"run", "demo", "tui"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str):
    """In the help, where it is looked for."""
    options = [one for one in COMMANDS[name].params if isinstance(one, click.Option)]

    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_by_an_example_that_works(name: str):
    """An example names its command and has only options that the command knows."""
    examples = examples_of(COMMANDS[name])
    words = name.split()

    assert examples
    for example in examples:
        program, *arguments = shlex.split(example)
        assert [program, *arguments[: len(words)]] == ["engarde", *words]
        COMMANDS[name].make_context(name, arguments[len(words) :])


def test_help_shows_the_example_on_a_line_of_its_own():
    """What is to be typed can be copied."""
    shown = CliRunner().invoke(engarde, ["doctor", "--help"]).output

    assert "$ engarde doctor --json" in [line.strip() for line in shown.split("\n")]


def test_the_version_is_the_installed_one():
    """`engarde --version` is what bug reports quote."""
    run = CliRunner().invoke(engarde, ["--version"])

    assert run.output == f"engarde {version('engarde-daemon')}\n"
