"""What the settings say about themselves."""

from pathlib import Path

import pytest

from engarde_daemon.config import Postgres, Server, Settings, Storage, ZeroDB
from engarde_daemon.domain.plans import GB, Plan


@pytest.mark.parametrize(
    ("dsn", "place"),
    [
        ("embedded", "embedded"),
        ("postgresql://user:s3cret@db.example:5432/engarde", "db.example:5432/engarde"),
        ("postgres://user@host/name?sslmode=require", "host/name"),
        ("postgres://host/name?user=u&password=s3cret", "host/name"),
        ("postgres://host/name?password=s3@cret", "a PostgreSQL server"),
        ("postgres://user:s3@cret@host/name", "a PostgreSQL server"),
        ("postgres://user:s3?cret@host/name", "a PostgreSQL server"),
    ],
)
def test_the_place_of_a_database_holds_no_secret(dsn: str, place: str):
    """Logs and `engarde doctor` can name the server without its password."""
    assert Postgres(dsn=dsn).place == place


def test_settings_can_be_printed_without_their_secrets():
    """A traceback or a debug log that shows the settings shows no password."""
    settings = Settings(postgres=Postgres(dsn="postgres://user:s3cret@host/name"))

    assert "s3cret" not in repr(settings)


def test_a_relative_data_directory_counts_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The path is absolute, so that a server process may have another working directory."""
    monkeypatch.chdir(tmp_path)

    assert Storage(data_dir="data").path == tmp_path / "data"


@pytest.mark.parametrize(
    ("host", "base_url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8700"),
        ("0.0.0.0", "http://127.0.0.1:8700"),  # noqa: S104 - shown, not bound
        ("::", "http://[::1]:8700"),
        ("fd00::1", "http://[fd00::1]:8700"),
        ("db.example", "http://db.example:8700"),
    ],
)
def test_callers_on_this_machine_are_told_an_address_that_answers(host: str, base_url: str):
    """Nobody can connect to everywhere; IPv6 stands in brackets."""
    assert Server(host=host).base_url == base_url


def test_the_catalogue_counts_in_bytes():
    """A plan of one GB holds 1024³ bytes."""
    assert Settings().catalogue()["free"] == Plan(
        name="free", storage_bytes=GB, retention_days=30, monthly_items=100
    )


def test_unlimited_is_no_limit():
    """The enterprise plan bounds nothing."""
    assert Settings().catalogue()["enterprise"] == Plan(
        name="enterprise", storage_bytes=None, retention_days=None, monthly_items=None
    )


def test_the_key_of_zerodb_is_in_no_representation():
    """Tracebacks and logs show representations."""
    assert "sk_live" not in repr(Settings(zerodb=ZeroDB(mode="cloud", api_key="sk_live_secret")))
