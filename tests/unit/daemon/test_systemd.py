"""What goes over the socket of the service manager, and what never does."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engarde_daemon.daemon.systemd import Systemd, more_time, status
from tests.support.service_manager import ServiceManager


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServiceManager]:
    """Somebody who listens, on either kind of address."""
    abstract = f"@engarde-test-{os.getpid()}"
    address = abstract if request.param == "abstract" else tmp_path / "notify"
    with ServiceManager(address) as manager:
        yield manager


def test_lines_of_one_message_arrive_together(manager: ServiceManager):
    """Whoever reads READY=1 reads the status with it."""
    systemd = Systemd(manager.address)

    systemd.tell("READY=1", status("serving"))
    systemd.close()

    assert manager.heard() == [["READY=1", "STATUS=serving"]]


def test_nobody_listens_and_nobody_minds():
    """A daemon that a person started has nobody to tell."""
    systemd = Systemd.named_in({}, pid=1)

    systemd.tell("READY=1")

    assert not systemd.listens


def test_a_service_manager_that_is_gone_is_logged_and_forgotten(tmp_path: Path):
    """The daemon goes on."""
    systemd = Systemd(str(tmp_path / "gone"))

    with capture_logs() as logged:
        systemd.tell("WATCHDOG=1")
    systemd.close()

    assert [line["event"] for line in logged] == ["the service manager was not told"]


@pytest.mark.parametrize("address", ["", "@", "vsock:2:1234", "relative"])
def test_an_address_of_another_kind_is_named_and_left_alone(address: str):
    """Such as a socket between machines, which systemd 254 knows."""
    with capture_logs() as logged:
        systemd = Systemd(address)

    assert not systemd.listens
    assert len(logged) == 1


def test_what_is_started_cannot_speak_in_the_daemons_name(tmp_path: Path):
    """A PostgreSQL that is built with systemd would say READY=1 on its own."""
    environ = {
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "30000000",
        "WATCHDOG_PID": "7",
        "PATH": "/bin",
    }

    systemd = Systemd.named_in(environ, pid=7)
    systemd.close()

    assert environ == {"PATH": "/bin"}
    assert systemd.watchdog_s == 30


@pytest.mark.parametrize(
    "given",
    [
        {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {},
    ],
)
def test_a_watchdog_that_is_not_ours_is_not_fed(given: dict[str, str]):
    """Such as that of the shell which started us."""
    assert Systemd.named_in(dict(given), pid=7).watchdog_s is None


def test_a_status_is_one_bounded_line():
    """Text from outside cannot add a line of its own."""
    assert status("away:\nREADY=1 " + "x" * 500) == f"STATUS=away: READY=1 {'x' * 186}"


def test_more_time_is_asked_for_in_microseconds():
    """As the protocol wants it."""
    assert more_time(1.5) == "EXTEND_TIMEOUT_USEC=1500000"
