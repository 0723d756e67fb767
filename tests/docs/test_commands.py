"""Commands, settings and variables that the documentation names are there, and no command is missing."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import rich_click as click

from engarde_daemon.cli.commands import engarde
from engarde_daemon.config import keys

ROOT = Path(__file__).parents[2]
PAGES = {
    str(page.relative_to(ROOT)): page.read_text()
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    if page.name != "CHANGELOG.md"
}

_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_TYPED = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?engarde (.*)", re.MULTILINE)
_NAMED = re.compile(r"`(?:\.venv/bin/)?engarde ([^`\n]+)`")
_SETTING = re.compile(r"`\[([a-z_.]+)\](?: ([a-z_]+))?[^`\n]*`")
_VARIABLE = re.compile(r"\bENGARDE_([A-Z_]+?__[A-Z_]+)\b")
_NO_SECTION = {"template", "redacted"}
"""What else stands in brackets: the words with which the template model begins, for one."""


def words_of(page: str) -> Iterator[list[str]]:
    """Every command of a page, without what may be left out around its options."""
    for command in [
        *(c for b in _BLOCK.findall(page) for c in _TYPED.findall(b)),
        *_NAMED.findall(page),
    ]:
        yield shlex.split(re.sub(r"[\[\]]", " ", command), comments=True)


def fault_of(words: list[str]) -> str | None:
    """What the command line does not know of this."""
    command: click.Command = engarde
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        inner = command.commands.get(rest[0])
        if inner is None and command.name == "backup":
            inner = command.commands["take"]  # whose name may be left out
        elif inner is None:
            return f"no command {rest[0]!r}"
        else:
            rest.pop(0)
        assert inner is not None
        command = inner
    known = {option for one in command.params for option in one.opts} | {"--help", "--version"}
    unknown = [word for word in rest if word.startswith("--") and word not in known]
    return f"no option {unknown[0]!r}" if unknown else None


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_names_is_there(page: str):
    """With each of its options."""
    found = [(" ".join(words), fault_of(words)) for words in words_of(PAGES[page])]

    assert [one for one in found if one[1] is not None] == []


def test_what_is_no_command_is_noticed():
    """Or the test above would say nothing."""
    page = (
        "```sh\n$ engarde sing --loud\n```\n`engarde keys list --louder` `engarde backup P --json`"
    )

    assert [fault_of(words) for words in words_of(page)] == [
        "no command 'sing'",
        "no option '--louder'",
        None,
    ]


def test_no_command_is_left_out():
    """Operators find each in one table."""
    table = PAGES["docs/operating.md"].partition("\n## Where things lie\n")[0]
    told = re.findall(r"`([^`]+)`", table)

    for name, command in engarde.commands.items():
        assert any(text.startswith(f"engarde {name}") for text in told), name
        for inner in getattr(command, "commands", {}):
            assert any(inner in text.split() for text in told) or inner == "take", f"{name} {inner}"


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_that_a_page_names_is_there(page: str):
    """As it is written in `engarde.toml`."""
    named = [
        (*section.split("."), *filter(None, [name]))
        for section, name in _SETTING.findall(PAGES[page])
        if section not in _NO_SECTION
    ]
    named += [tuple(text.lower().split("__")) for text in _VARIABLE.findall(PAGES[page])]

    known = {key[:length] for key in keys() for length in (1, 2, 3)}
    assert [".".join(key) for key in named if key not in known] == []
