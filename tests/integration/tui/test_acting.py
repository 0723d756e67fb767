"""What an operator can have done, and what keeps it from being done by accident."""

import pytest

from tests.integration.tui.conftest import Sit
from tests.support.dashboard import scenes
from tui import orders
from tui.feed import READ_ONLY, Refused
from tui.orders import Order

STEERED = "storage"
FULLEST = scenes.tenants()[2]


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        (("2", "down", "p"), orders.pause(STEERED)),
        (("2", "down", "r"), orders.restart(STEERED)),
        (("4", "c"), orders.cancel_job("generation", "7d1f")),
        (("4", "down", "c"), orders.cancel_job("import", "5c02")),
        (("4", "down", "down", "r"), orders.retry_job("41aa")),
        (("5", "down", "r"), orders.retry_queue("archive", "to the archive")),
        (("6", "v"), orders.verify()),
    ],
)
async def test_an_order_is_sent_once_it_was_confirmed(
    sit: Sit, keys: tuple[str, ...], order: Order
):
    """The question opens with the way back chosen; the other button sends."""
    async with sit() as desk:
        await desk.press(*keys)
        assert order.effect.split(".")[0][:40] in " ".join(desk.text.split())
        assert desk.feed.ordered == []

        await desk.press("tab", "enter")

        assert desk.feed.ordered == [order]
        assert order.done in desk.notices


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("s", orders.restore()),
        ("f", orders.fail_over()),
        ("b", orders.fail_back()),
        ("m", orders.migrate()),
    ],
)
async def test_what_moves_content_is_sent_only_after_its_word_was_typed(
    sit: Sit, key: str, order: Order
):
    """Enter on another word does nothing."""
    async with sit() as desk:
        await desk.press("6", key, "x", "enter")
        assert desk.feed.ordered == []

        await desk.press("backspace", *order.typed, "enter")

        assert desk.feed.ordered == [order]


@pytest.mark.parametrize("way_back", [("escape",), ("enter",)])
async def test_a_question_can_be_left(sit: Sit, way_back: tuple[str, ...]):
    """Nothing is sent, and the page is there again."""
    async with sit() as desk:
        await desk.press("2", "down", "r", *way_back)

        assert desk.feed.ordered == []
        assert desk.page == "queues"


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        (("2", "down", "u"), orders.resume(STEERED)),
        (("3", "e"), orders.reconcile(FULLEST.tenant_id, FULLEST.name)),
    ],
)
async def test_what_harms_nobody_is_not_asked_about(sit: Sit, keys: tuple[str, ...], order: Order):
    """A question too many teaches to answer without reading."""
    async with sit() as desk:
        await desk.press(*keys)

        assert desk.feed.ordered == [order]


async def test_a_tenant_is_put_on_another_plan(sit: Sit):
    """The plan is typed, then confirmed with what it will change."""
    async with sit() as desk:
        await desk.press("3", "c", *"business", "enter", "tab", "enter")

        assert desk.feed.ordered == [
            orders.change_plan(FULLEST.tenant_id, FULLEST.name, "business")
        ]


async def test_a_running_recovery_job_can_be_ended(sit: Sit):
    """The key means the job under the cursor."""
    async with sit(scenes.recovering()) as desk:
        await desk.press("6", "x", "tab", "enter")

        assert desk.feed.ordered == [orders.cancel_job("restore", "8e11")]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("2", "r"), "Supervisors are not steered, only their actors."),
        (("4", "down", "down", "c"), "This job is failed: there is nothing to end."),
        (("4", "r"), "Only failed pieces of generation can be repeated."),
        (("6", "x"), "Choose a job that is under way."),
    ],
)
async def test_what_cannot_be_done_is_answered_with_the_reason(
    sit: Sit, keys: tuple[str, ...], words: str
):
    """The daemon is not asked for what it would refuse."""
    async with sit() as desk:
        await desk.press(*keys)

        assert words in desk.notices
        assert desk.feed.ordered == []


async def test_actors_of_another_daemon_are_looked_at_and_not_steered(sit: Sit):
    """The order would reach the wrong process."""
    snapshot = scenes.snapshot(others=[scenes.daemon(2)])
    async with sit(snapshot) as desk:
        await desk.press("2", "d", "down", "r")

        assert "Actors of content-2" in desk.text
        assert desk.notices == ["To steer its actors, attach to 10.0.0.2:8700."]


async def test_a_refusal_is_shown_in_the_words_of_the_daemon(sit: Sit):
    """It says what to do."""
    async with sit() as desk:
        desk.feed.refusal = Refused("A restore is under way already.")
        await desk.press("6", "v", "tab", "enter")

        assert desk.notices == ["A restore is under way already."]


@pytest.mark.parametrize("keys", [("3", "e"), ("6", "f")])
async def test_a_key_that_may_only_read_cannot_act_and_says_why(sit: Sit, keys: tuple[str, ...]):
    """Neither by key nor by the palette."""
    async with sit(role="viewer") as desk:
        await desk.press(*keys)

        assert desk.notices == [READ_ONLY]
        assert "read only" in desk.text.splitlines()[0]
        assert desk.feed.ordered == []


async def test_a_refused_key_makes_the_dashboard_read_only(sit: Sit):
    """Where the daemon did not say at first whose key it is."""
    async with sit() as desk:
        desk.feed.refusal = Refused("Your role does not reach this.", forbidden=True)
        await desk.press("6", "v", "tab", "enter")

        assert "read only" in desk.text.splitlines()[0]
