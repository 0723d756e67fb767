"""Settings that are read again: the file that was there must still be."""

from pathlib import Path

import pytest

from engarde_daemon.cli.options import reader
from engarde_daemon.config import ConfigurationError

OPTIONS = {"config": None, "data_dir": None}


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where settings are looked for."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "engarde.toml"


def test_a_file_that_was_there_at_the_start_must_be_there_at_the_first_reload(file: Path):
    """Or a daemon would go on with defaults that nobody chose."""
    file.write_text("[server]\nport = 8123\n")
    read = reader(OPTIONS)
    file.unlink()

    with pytest.raises(ConfigurationError, match=r"engarde\.toml: cannot be read"):
        read()


def test_a_file_that_comes_later_is_read_and_must_stay(file: Path):
    """A daemon may begin without one."""
    read = reader(OPTIONS)
    assert read().server.port != 8123
    file.write_text("[server]\nport = 8123\n")
    assert read().server.port == 8123
    file.unlink()

    with pytest.raises(ConfigurationError, match=r"engarde\.toml: cannot be read"):
        read()
