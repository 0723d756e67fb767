"""The pages: what they show, and how one gets around."""

import anyio
import msgspec
import pytest
from textual.binding import Binding
from textual.color import Color
from textual.filter import NoColor
from textual.widgets import Input

from tests.integration.tui.conftest import Desk, Sit
from tests.support.dashboard import scenes
from tests.support.dashboard.feed import ScriptedFeed
from tui.app import Dashboard
from tui.feed import Linked, Lost, Refused
from tui.page import PAGES
from tui.sight import SILENT_AFTER_S


async def test_every_page_opens_by_its_number(sit: Sit):
    """Each by one key, from every other."""
    async with sit() as desk:
        for number, page in enumerate(PAGES, 1):
            await desk.press(str(number))

            assert desk.page == page


async def test_a_page_opens_by_a_click_on_its_name(sit: Sit):
    """The mouse reaches what the keys reach."""
    async with sit() as desk:
        await desk.pilot.click(offset=(desk.text.splitlines()[1].index("6 Recovery"), 1))
        await desk.settle()

        assert desk.page == "recovery"


@pytest.mark.parametrize("page", ["2", "3", "6"])
async def test_help_names_every_key_of_the_page(sit: Sit, page: str):
    """Nobody has to guess."""
    async with sit() as desk:
        await desk.press(page)
        bindings = [each for each in desk.app.screen.BINDINGS if isinstance(each, Binding)]
        await desk.press("question_mark")

        shown = " ".join(desk.text.replace("│", " ").split())
        assert bindings
        assert all((key.tooltip or key.description) in shown for key in bindings)
        await desk.press("escape")
        assert desk.page


async def test_the_palette_reaches_pages_and_orders(sit: Sit):
    """Everything that can be done is found by its name."""
    async with sit() as desk:
        await desk.press("6", "ctrl+p", *"verify")
        await desk.pilot.pause(0.3)
        await desk.press("down", "enter")
        await desk.pilot.pause(0.3)

        assert "Verify content" in desk.text


async def test_a_lost_daemon_is_told_with_what_was_known(sit: Sit):
    """What is old is marked as old."""
    async with sit() as desk:
        await desk.tell(Lost("nothing answers there", 4.0))

        assert "✗ no answer, again in 4 s" in desk.text.splitlines()[0]
        assert (
            "There is no news from the daemon: nothing answers there. This is how it was at"
            in desk.text
        )

        await desk.tell(Linked("operator"), scenes.snapshot())

        assert "● live" in desk.text.splitlines()[0]
        assert "no news" not in desk.text


async def test_each_fault_of_a_store_is_shown_with_cause_and_effect(sit: Sit):
    """As soon as the next snapshot tells of it."""
    async with sit() as desk:
        await desk.tell(scenes.failed_over())

        assert "✗ promise broken" in desk.text.splitlines()[0]
        assert "✗ ZeroDB: no answer since 09:28:40: connection refused" in desk.text
        assert "→ Reads come from the archive and from staged bodies." in desk.text


async def test_the_cursor_stays_on_what_was_chosen(sit: Sit):
    """News must never move it to another job between a look and a key."""
    async with sit() as desk:
        await desk.press("4", "down")
        await desk.tell(scenes.recovering())

        chosen = desk.app.screen.query_one("#jobs").chosen  # type: ignore[attr-defined]
        assert chosen.id == "5c02"


async def test_tenants_are_found_sorted_and_paged_by_the_daemon(sit: Sit):
    """The dashboard never holds more than a page of them."""
    async with sit() as desk:
        await desk.press("3", "n")
        assert "page 2 of 2" in desk.text

        await desk.press("s", "l", "slash", *"acme")

        wish = desk.feed.wishes[-1]
        assert (wish.page, wish.sort, wish.level, wish.search) == (
            1,
            "-used_bytes",
            "warning",
            "acme",
        )


async def test_a_click_on_a_title_sorts_by_it(sit: Sit):
    """As the operator sees it."""
    async with sit() as desk:
        await desk.press("3")
        line = desk.text.splitlines()[4]
        await desk.pilot.click(offset=(line.index("TENANT") + 1, 4))
        await desk.settle()

        assert desk.feed.wishes[-1].sort == "name"


async def test_a_tenant_opens_with_its_figures(sit: Sit):
    """Enter drills into the one under the cursor."""
    async with sit() as desk:
        await desk.press("3", "enter")

        assert "52.0 GiB of 50.0 GiB" in desk.text


async def test_tenants_that_cannot_be_fetched_are_told_with_the_reason(sit: Sit):
    """An empty list would say that there are none."""
    async with sit() as desk:
        desk.feed.refusal = Refused("PostgreSQL does not answer.")
        await desk.press("3")

        assert "PostgreSQL does not answer." in desk.text


async def test_parked_rows_are_shown_with_their_reason(sit: Sit):
    """Enter gives it in full, where the column is too narrow for it."""
    async with sit(size=(80, 24)) as desk:
        desk.feed.parked_rows = scenes.parked()
        await desk.press("5")
        assert "ZeroDB answered 503." in desk.text

        await desk.press("tab", "down", "enter")

        assert desk.notices == [scenes.parked()[1].reason]


async def test_parked_rows_are_looked_at_again_after_a_retry(sit: Sit):
    """So that nobody retries them twice."""
    async with sit() as desk:
        desk.feed.parked_rows = scenes.parked()
        desk.feed.gate = anyio.Event()
        await desk.press("5", "r", "tab")
        await desk.pilot.press("enter")
        await desk.pilot.pause()
        assert "ZeroDB answered 503." in desk.text

        desk.feed.gate.set()
        await desk.settle()

        assert "ZeroDB answered 503." not in desk.text
        assert "Nothing was refused or put off." in desk.text


async def test_parked_rows_that_cannot_be_fetched_are_told_with_the_reason(sit: Sit):
    """An empty list would say that there are none."""
    async with sit() as desk:
        desk.feed.refusal = Refused("PostgreSQL does not answer.")
        await desk.press("5")

        assert "PostgreSQL does not answer." in desk.text


async def test_events_are_filtered_by_word_and_level(sit: Sit):
    """The filter holds for what comes later, too."""
    async with sit() as desk:
        await desk.press("7", "l")
        assert "Initech Marketing reached" in desk.text
        assert "120 items were created" not in desk.text

        await desk.press("l", "l", "slash", *"globex", "enter")
        await desk.tell(scenes.event(0, "content.item.created", "for globex"))

        assert "for globex" in desk.text
        assert "Initech" not in desk.text


async def test_a_held_list_stands_still_and_misses_nothing(sit: Sit):
    """What came meanwhile is there when it runs again."""
    async with sit() as desk:
        await desk.press("7", "h")
        await desk.tell(scenes.event(0, "content.item.created", "meanwhile"))
        assert "meanwhile" not in desk.text

        await desk.press("h")

        assert "meanwhile" in desk.text


async def test_colours_change_between_dark_and_light(sit: Sit):
    """By one key."""
    async with sit() as desk:
        dark = desk.app.theme
        await desk.press("ctrl+t")

        assert desk.app.theme != dark


async def test_without_colours_nothing_is_coloured(sit: Sit, monkeypatch: pytest.MonkeyPatch):
    """Signs and words say everything (https://no-color.org)."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with sit(scenes.failed_over()) as desk:
        (plain,) = (each for each in desk.app._filters if isinstance(each, NoColor))
        lines = desk.app.screen._compositor.render_strips()
        drawn = [part for line in lines for part in plain.apply(list(line), Color(0, 0, 0))]

        colours = {part.style.color.name for part in drawn if part.style and part.style.color}
        assert colours <= {"default"}
        assert "✗ promise broken" in desk.text


async def test_a_burst_of_events_is_taken_in_without_a_loss(sit: Sit):
    """They are drawn at the dashboard's own pace."""
    async with sit() as desk:
        await desk.press("7")
        burst = [scenes.event(0, "content.item.created", f"number {n}") for n in range(1_000)]
        await desk.tell(*burst)

        assert "number 999" in desk.text
        assert len(desk.app.sight.events) == 1_000 + len(scenes.everyday())


async def test_a_key_typed_into_a_field_is_not_a_command(sit: Sit):
    """A tenant whose name has a q can be searched for."""
    async with sit() as desk:
        await desk.press("3", "slash", "q", "1")

        assert desk.app.screen.query_one(Input).value == "q1"
        assert desk.page == "tenants"


async def test_the_newest_events_stay_in_sight(sit: Sit):
    """The overview has no cursor, and nothing else drags its lists along with what gets old."""
    async with sit() as desk:
        events = [scenes.event(-n, "content.item.created", f"number {n}") for n in range(40)]
        await desk.tell(*events[:35])
        await desk.tell(*events[35:])

        assert "number 39" in desk.text


async def test_a_daemon_that_was_never_seen_is_told_with_the_reason():
    """A wrong key is another matter than a daemon that is away."""
    feed = ScriptedFeed([Lost("it does not know this key", 4.0)])
    app = Dashboard(feed)
    async with app.run_test(size=(120, 40)) as pilot:
        desk = Desk(pilot, app, feed)
        await desk.settle()

        assert "There is no news from the daemon: it does not know this key." in desk.text


async def test_a_daemon_that_tells_nothing_new_is_not_taken_for_live():
    """It answers, but whoever looks after it in there stands still; so does what is shown."""
    now_s = 1000.0
    feed = ScriptedFeed(scenes.lately(scenes.snapshot(), seconds=5))
    app = Dashboard(feed, clock=lambda: now_s)
    async with app.run_test(size=(120, 40)) as pilot:
        desk = Desk(pilot, app, feed)
        await desk.settle()
        assert "● live" in desk.text

        now_s += SILENT_AFTER_S + 1
        await desk.tell(scenes.snapshot())

        assert "! nothing new" in desk.text.splitlines()[0]
        assert "content is safe" not in desk.text.splitlines()[0]
        assert "The daemon answers, but tells nothing new. This is how it was at" in desk.text

        await desk.tell(msgspec.structs.replace(scenes.snapshot(), at=scenes.ago(seconds=-1)))

        assert "● live" in desk.text.splitlines()[0]


async def test_brackets_in_what_it_is_told_are_shown_and_not_obeyed(sit: Sit):
    """As markup of ours they would be swallowed, or end the dashboard."""
    async with sit(notices=True) as desk:
        desk.feed.refusal = Refused("Set [zerodb_next] url[/].")
        await desk.press("6", "v", "tab", "enter")

        assert "Set [zerodb_next] url[/]." in desk.text


async def test_brackets_in_a_name_are_shown_and_not_obeyed(sit: Sit):
    """Whoever names a tenant must not be able to end the dashboard."""
    name = "Acme [/] [b]EU"
    async with sit() as desk:
        desk.feed.standings = [msgspec.structs.replace(scenes.tenants()[2], name=name)]
        await desk.press("3", "enter")
        assert f"─ {name} ─" in desk.text

        await desk.press("escape", "c", *"free", "enter")

        assert f"Put {name} on free" in desk.text


@pytest.mark.parametrize(
    ("page", "asked"), [("3", "wishes"), ("6", "reports"), ("8", "log_cursors")]
)
async def test_a_slow_answer_is_waited_for(sit: Sit, page: str, asked: str):
    """The next look would give up the one under way, and nothing would ever be shown."""
    async with sit(scenes.recovering()) as desk:
        desk.feed.answers = anyio.Event()
        await desk.pilot.press(page)
        await desk.pilot.pause()
        before = len(getattr(desk.feed, asked))
        assert before

        for second in range(3):
            desk.feed.tell(
                msgspec.structs.replace(scenes.recovering(), at=scenes.ago(seconds=-second))
            )
            await desk.pilot.pause()
            desk.app.draw()
            desk.app.screen._look_again()  # type: ignore[attr-defined]
            await desk.pilot.pause()
        assert len(getattr(desk.feed, asked)) == before

        desk.feed.answers.set()
        await desk.settle()


async def test_tenants_stay_when_they_cannot_be_fetched_anew(sit: Sit):
    """And with them the one under the cursor, which the next key means."""
    async with sit() as desk:
        await desk.press("3", "down")
        desk.feed.refusal = Refused("PostgreSQL does not answer.")
        desk.app.screen.fetch()  # type: ignore[attr-defined]
        await desk.settle()

        assert "not renewed: PostgreSQL does not answer." in desk.text
        assert desk.app.screen.query_one("#tenants").cursor == 1  # type: ignore[attr-defined]
