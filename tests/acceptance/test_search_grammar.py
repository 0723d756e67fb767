"""`search`: beginnings, alternatives, ranks and highlights, and the language of a brand."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.acceptance.content import created, listed, titles
from tests.support.daemon import SharedDaemon, Tenant

LIBRARY: dict[str, str] = {
    "happy": "Happiness is a summer of happy people",
    "hotel": "The summary of our hotels by the sea",
    "winter": "Boots, and a dance in the snow",
    "dancing": "Dancing shoes for a Sunday in September",
}

SEARCHES = [
    ("summ*", ["happy", "hotel"]),
    ("SUMM*", ["happy", "hotel"]),
    ("summe*", ["happy"]),
    ("happy*", ["happy"]),
    ("happi*", ["happy"]),
    ("danc*", ["dancing", "winter"]),
    ("dancing*", ["dancing", "winter"]),
    ("se*", ["dancing", "hotel"]),
    ("summ* -hotel", ["happy"]),
    ("summ* -sea*", ["happy"]),
    ("-summ*", ["dancing", "winter"]),
    ("summ* or snow", ["happy", "hotel", "winter"]),
    ('"by the sea" or boots', ["hotel", "winter"]),
    ("snow boots or sunday shoes", ["dancing", "winter"]),
    ("snow shoes or sunday boots", []),
    ("the or snow", ["winter"]),
    ("or", []),
    ("xx*", []),
]


@pytest.fixture(scope="module")
async def library(shared_daemon: SharedDaemon) -> AsyncIterator[httpx.AsyncClient]:
    """An editor whose tenant holds the library, all of it in the index."""
    tenant = shared_daemon.new_tenant()
    async with shared_daemon.caller(shared_daemon.new_key(tenant).api_key) as http:
        for title, body in LIBRARY.items():
            await created(http, title=title, body=body)
        await shared_daemon.until_carried(tenant)
        yield http


@pytest.mark.parametrize(("words", "wanted"), SEARCHES)
async def test_what_is_typed_finds_what_is_meant(
    library: httpx.AsyncClient, words: str, wanted: list[str]
):
    """Beginnings of words, absences and alternatives, in any mixture."""
    assert sorted(await titles(library, search=words)) == wanted


async def test_it_finds_the_same_before_the_index_knows(http: httpx.AsyncClient):
    """Right after the writes."""
    for title, body in LIBRARY.items():
        await created(http, title=title, body=body)

    found = [(words, sorted(await titles(http, search=words))) for words, _ in SEARCHES]
    assert found == SEARCHES


class TestRanks:
    """What fits best comes first, unless another order is asked for."""

    async def fill(self, http: httpx.AsyncClient) -> None:
        """Four items that fit `summer sale` better and better, from the newest to the oldest."""
        far = " ".join(["filler"] * 60)
        await created(http, title="Summer sale", body="summer sale")
        await created(http, title="close", body=f"{far} summer sale {far}")
        await created(http, title="far", body=f"summer {far} {far} sale")
        await created(http, title="neither", body=far)

    async def test_the_best_comes_first(
        self, daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
    ):
        """Words in the title count most, then words that stand together."""
        await self.fill(http)
        at_once = await titles(http, search="summer sale")
        await daemon.until_carried(tenant)

        assert at_once == ["Summer sale", "close", "far"]
        assert await titles(http, search="summer sale", sort="relevance") == at_once
        assert await titles(http, search="summer sale", sort="-created_at") == at_once[::-1]

    async def test_pages_of_it_follow_each_other(self, http: httpx.AsyncClient):
        """By number and by cursor, with the total of the hits."""
        await self.fill(http)
        first = await listed(http, search="summer sale", pageSize=2)
        cursor = first["pagination"]["nextCursor"]

        assert [item["title"] for item in first["data"]] == ["Summer sale", "close"]
        assert first["pagination"]["total"] == 3
        assert await titles(http, search="summer sale", cursor=cursor) == ["far"]
        assert await titles(http, search="summer sale", pageSize=2, page=2) == ["far"]

    async def test_a_walk_by_relevance_meets_each_hit_once(
        self, daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
    ):
        """Also among those that fit alike, while items are added that fit worse."""
        made = [await created(http, title="offer", body="one offer") for _ in range(9)]
        await daemon.until_carried(tenant)
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await listed(http, search="offer", pageSize=2, cursor=cursor)
            seen += [item["id"] for item in page["data"] if item["title"] == "offer"]
            cursor = page["pagination"]["nextCursor"]
            if len(seen) < len(made):
                await created(http, title="other", body=f"{'filler ' * 50} offer")

        assert seen == [item["id"] for item in reversed(made)]


class TestHighlights:
    """Why an item was found, ready to be shown."""

    async def highlights(self, http: httpx.AsyncClient, words: str) -> list[str]:
        """The highlights on the first page."""
        return [item["highlight"] for item in (await listed(http, search=words))["data"]]

    async def test_hits_are_marked_where_they_stand(self, http: httpx.AsyncClient):
        """In whatever form of the word, and around them what stands near."""
        body = f"{'before ' * 80}A big summer sale for summers to come {'behind ' * 80}"
        await created(http, body=body)
        (highlight,) = await self.highlights(http, "summer -winter")

        assert "<mark>summer</mark> sale for <mark>summers</mark> to come" in highlight
        assert len(highlight) < 400

    async def test_only_the_mark_is_html(self, http: httpx.AsyncClient):
        """Whatever an author wrote is text, our own mark included."""
        body = "A <script>alert(\"x\")</script> & a <mark>trap</mark> 'needle' <b>needle</b>"
        await created(http, body=body)
        (highlight,) = await self.highlights(http, "needle")

        rest = highlight.replace("<mark>needle</mark>", "")
        assert "<mark>needle</mark>" in highlight
        assert "<" not in rest
        assert ">" not in rest
        assert '"' not in rest

    async def test_marks_cannot_be_forged(self, http: httpx.AsyncClient):
        """The signs that stand for marks inside the daemon are taken out of a text."""
        await created(http, body="a \x02forged\x03 needle")
        (highlight,) = await self.highlights(http, "needle")

        assert highlight == "a forged <mark>needle</mark>"

    async def test_a_hit_in_the_title_alone_is_marked_there(self, http: httpx.AsyncClient):
        """Else the reader would not see why it was found."""
        await created(http, title="A <golden> needle", body="Something else")

        assert await self.highlights(http, "needle") == ["A &lt;golden&gt; <mark>needle</mark>"]

    async def test_every_item_has_its_own(self, http: httpx.AsyncClient):
        """Also bodies that left PostgreSQL long ago, and empty ones."""
        for number in range(3):
            await created(http, title=f"needle {number}", body=f"needle {number}" if number else "")

        assert await self.highlights(http, "needle") == [
            f"<mark>needle</mark> {number}" for number in (2, 1, 0)
        ]

    async def test_a_list_without_words_has_none(self, http: httpx.AsyncClient):
        """Nothing was sought, so nothing is marked."""
        await created(http)
        (item,) = (await listed(http))["data"]

        assert "highlight" not in item


class TestLanguages:
    """A brand's words are taken apart in the language of its voice."""

    @pytest.fixture
    async def german(
        self, daemon: SharedDaemon, tenant: Tenant
    ) -> AsyncIterator[httpx.AsyncClient]:
        """An administrator of a brand that speaks German."""
        async with daemon.caller(daemon.new_key(tenant, "admin").api_key) as http:
            await self.speak(http, tenant, "de-AT")
            yield http

    async def speak(self, http: httpx.AsyncClient, tenant: Tenant, language: str) -> None:
        """Give the brand a language."""
        path = f"/api/brands/{tenant.brand_id}/voice"
        answer = await http.put(path, json={"language": language})
        assert answer.is_success, answer.text

    async def test_its_forms_are_found(
        self, daemon: SharedDaemon, tenant: Tenant, german: httpx.AsyncClient
    ):
        """`Häuser` is a form of `Haus` in German, and of nothing in English."""
        await created(german, title="viele", body="Die schönsten Häuser der Stadt")
        at_once = await titles(german, search="haus")
        await daemon.until_carried(tenant)

        assert at_once == await titles(german, search="haus") == ["viele"]
        assert await titles(german, search="schön häus*") == ["viele"]
        assert await titles(german, search="der") == []

    async def test_its_hits_are_marked(self, german: httpx.AsyncClient):
        """In the same language in which they are found."""
        await created(german, body="Die schönsten Häuser")
        (item,) = (await listed(german, search="haus"))["data"]

        assert item["highlight"] == "Die schönsten <mark>Häuser</mark>"

    async def test_a_brand_that_changes_its_language_keeps_what_it_had(
        self, daemon: SharedDaemon, tenant: Tenant, german: httpx.AsyncClient
    ):
        """Each item is found in the language in which it was indexed, until it is written again."""
        await created(german, title="deutsch", body="Häuser")
        await daemon.until_carried(tenant)
        await self.speak(german, tenant, "en")
        made = await created(german, title="english", body="houses and Häuser")
        await daemon.until_carried(tenant)

        assert await titles(german, search="haus") == ["deutsch"]
        assert await titles(german, search="house") == ["english"]
        assert sorted(await titles(german, search="haus or house")) == ["deutsch", "english"]
        assert await titles(german, search="-haus") == ["english"]
        await self.speak(german, tenant, "de")
        await german.patch(f"/api/content/{made['id']}", json={"body": "Die Häuser"})
        await daemon.until_carried(tenant)
        assert sorted(await titles(german, search="haus")) == ["deutsch", "english"]

    async def test_a_new_title_leaves_the_words_of_a_body_their_language(
        self, daemon: SharedDaemon, tenant: Tenant, german: httpx.AsyncClient
    ):
        """The body is not at hand any more, so the document stays in one language."""
        made = await created(german, title="alt", body="Häuser")
        await daemon.until_carried(tenant)
        await self.speak(german, tenant, "en")
        await german.patch(f"/api/content/{made['id']}", json={"title": "neue Bäume"})
        at_once = [await titles(german, search=words) for words in ("haus", "baum", "alt")]
        await daemon.until_carried(tenant)
        later = [await titles(german, search=words) for words in ("haus", "baum", "alt")]

        assert at_once == later == [["neue Bäume"], ["neue Bäume"], []]

    @pytest.mark.parametrize("language", ["ja", "tlh", "xx-YY"])
    async def test_a_language_postgres_does_not_know_is_searched_word_by_word(
        self, tenant: Tenant, german: httpx.AsyncClient, language: str
    ):
        """No stem of a language that is not meant."""
        await self.speak(german, tenant, language)
        await created(german, title="one", body="running houses")

        assert await titles(german, search="houses") == ["one"]
        assert await titles(german, search="house") == []
        assert await titles(german, search="hous*") == ["one"]


async def test_hits_are_counted_up_to_200_by_relevance(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """The newest are ranked; by another order all of them are listed."""
    for start in range(0, 1200, 400):
        items = [{"title": f"needle {start + n}", "body": ""} for n in range(400)]
        answer = await http.post("/api/content/bulk", json={"items": items})
        assert answer.status_code == 201, answer.text
    await daemon.until_carried(tenant)
    ranked = await listed(http, search="needle", page=2, pageSize=100)
    all_: dict[str, Any] = await listed(http, search="needle", sort="-created_at")

    assert (ranked["pagination"]["total"], ranked["pagination"]["totalIsCapped"]) == (200, True)
    assert len(ranked["data"]) == 100
    assert ranked["pagination"]["hasNext"] is False
    assert all_["pagination"]["total"] == 1200
    assert "totalIsCapped" not in all_["pagination"]
