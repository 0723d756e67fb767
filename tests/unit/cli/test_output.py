"""What a person is shown is data, whoever wrote it."""

import msgspec
import pytest

from engarde_daemon.cli.output import print_list, print_object


class Row(msgspec.Struct):
    """Something with a name that a tenant chose."""

    name: str


NAME = "a\x1b]0;owned\x07\nb\u202ec"


def test_a_terminal_is_given_nothing_to_obey(capsys: pytest.CaptureFixture[str]):
    """No control character, no new line, and no turned direction."""
    print_list("rows", [Row(NAME)], as_json=False)
    print_object(Row(NAME), as_json=False)

    assert capsys.readouterr().out == "NAME\na?]0;owned? b?c\nname  a?]0;owned? b?c\n"


def test_a_script_is_given_what_is_there(capsys: pytest.CaptureFixture[str]):
    """JSON has escapes of its own."""
    print_object(Row(NAME), as_json=True)

    assert msgspec.json.decode(capsys.readouterr().out) == {"name": NAME}
