"""What a reload changes, what it cannot, and that it is whole or not at all."""

from collections.abc import Callable

import msgspec
import pytest
from structlog.testing import capture_logs

from engarde_daemon.config import ConfigurationError, Settings, keys, load
from engarde_daemon.daemon.reloading import LIVE, Reloading, compared
from engarde_daemon.domain.errors import Rejected

BEFORE = Settings()


class Part:
    """Something that takes settings, or refuses them."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.refusal = refusal
        self.taken: list[Settings] = []

    def prepare(self, settings: Settings) -> Callable[[], None]:
        """Refuse now or never."""
        if self.refusal is not None:
            raise self.refusal
        return lambda: self.taken.append(settings)


def wanting(**environ: str) -> Settings:
    """The defaults with these variables set."""
    return load(None, {f"ENGARDE_{name}": value for name, value in environ.items()})


@pytest.mark.parametrize("live", LIVE, ids=".".join)
def test_what_can_change_is_the_name_of_a_setting(live: tuple[str, ...]):
    """A setting that was renamed would silently never change again."""
    assert any(key[: len(live)] == live for key in keys())


def test_what_can_change_is_told_from_what_cannot():
    """The one is taken, the other keeps its value; both are named."""
    wanted = wanting(
        LIMITS__REQUESTS_PER_MIN_TENANT="7", SERVER__PORT="9000", PLANS__FREE__STORAGE_GB="2"
    )

    changes = compared(BEFORE, wanted)

    assert changes.changed == ("limits.requests_per_min_tenant", "plans.free.storage_gb")
    assert changes.need_restart == ("server.port",)
    assert changes.settings.limits == wanted.limits
    assert changes.settings.plans == wanted.plans
    assert changes.settings.server == BEFORE.server


def test_a_plan_may_come_and_go():
    """A plan is a section whose name the operator chose."""
    large = {"STORAGE_GB": "5", "RETENTION_DAYS": "9", "MONTHLY_ITEMS": "9"}
    wanted = wanting(**{f"PLANS__LARGE__{name}": value for name, value in large.items()})

    assert "large" in compared(BEFORE, wanted).settings.plans
    assert "large" not in compared(wanted, BEFORE).settings.plans
    assert compared(wanted, BEFORE).changed == (
        "plans.large.forget_in_archive",
        "plans.large.monthly_items",
        "plans.large.retention_days",
        "plans.large.storage_gb",
    )


async def test_every_part_takes_the_settings():
    """Also those in which nothing of its own changed."""
    parts = [Part(), Part()]
    wanted = wanting(LOG__LEVEL="debug")

    assert await Reloading(BEFORE, lambda: wanted, [part.prepare for part in parts]).reload()

    assert [part.taken for part in parts] == [[wanted], [wanted]]


async def test_a_part_that_refuses_keeps_all_others_from_changing():
    """Whichever comes first."""
    parts = [Part(), Part(Rejected("the key file is gone")), Part()]
    reloading = Reloading(
        BEFORE, lambda: wanting(LOG__LEVEL="debug"), [part.prepare for part in parts]
    )

    with capture_logs() as logged:
        assert not await reloading.reload()

    assert [part.taken for part in parts] == [[], [], []]
    assert "the key file is gone" in logged[0]["problems"][0]


async def test_a_broken_file_changes_nothing_and_is_named():
    """With everything that is wrong with it."""
    part = Part()

    def broken() -> Settings:
        raise ConfigurationError(["server.port: must be a number", "engarde.toml line 3"])

    with capture_logs() as logged:
        assert not await Reloading(BEFORE, broken, [part.prepare]).reload()

    assert part.taken == []
    assert logged[0]["problems"] == ["server.port: must be a number", "engarde.toml line 3"]


async def test_what_waits_for_a_restart_is_named_each_time():
    """Until somebody restarts, or takes it back."""
    wanted = [wanting(SERVER__PORT="9000"), wanting(SERVER__PORT="9000"), BEFORE]
    reloading = Reloading(BEFORE, lambda: wanted.pop(0), [])

    with capture_logs() as logged:
        for _ in range(3):
            await reloading.reload()

    waiting = [line["settings"] for line in logged if line["log_level"] == "warning"]
    assert waiting == [("server.port",)] * 2


def test_the_defaults_are_their_own_copy():
    """Nothing that is compared is changed by it."""
    before = msgspec.json.encode(BEFORE)

    compared(BEFORE, wanting(PLANS__FREE__STORAGE_GB="2"))

    assert msgspec.json.encode(BEFORE) == before
