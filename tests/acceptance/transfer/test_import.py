"""`POST /api/content/import`: what an export gave comes back the same, and never twice."""

import json
from typing import Any

import httpx
import pytest

from engarde_daemon.domain.transfer import imported_id
from tests.acceptance.content import (
    created,
    draft,
    holds_nothing,
    listed,
    new_space,
    problem_of,
    titles,
)
from tests.acceptance.transfer.carrying import (
    IMPORT,
    counts,
    cut_off,
    exported,
    fill,
    imported,
    lasting,
    line,
)
from tests.support.daemon import TINY_PLAN_BYTES, SharedDaemon, Tenant
from tests.support.oracle import eventually

NOWHERE = "00000000-0000-7000-8000-000000000000"
LONG_AGO = "2019-03-02T01:02:03.000004Z"


class TestRefusals:
    """What cannot be taken in is told, line by line."""

    @pytest.mark.parametrize("role", ["viewer", "editor"])
    async def test_only_an_administrator_may(self, daemon: SharedDaemon, tenant: Tenant, role: str):
        """Of the brand into which it goes."""
        async with daemon.caller(daemon.new_key(tenant, role).api_key) as http:
            problem_of(await http.post(IMPORT, content=line()), 403)

    async def test_a_foreign_brand_is_not_there(self, admin: httpx.AsyncClient, elsewhere: Tenant):
        """Neither a stranger's nor nobody's."""
        for brand_id in (NOWHERE, elsewhere.brand_id):
            answer = await admin.post(IMPORT, params={"brand_id": brand_id}, content=line())
            problem_of(answer, 404)

    async def test_a_compressed_body_is_refused(self, admin: httpx.AsyncClient):
        """Nobody would know how much comes out of it."""
        answer = await admin.post(IMPORT, content=b"x", headers={"Content-Encoding": "gzip"})
        problem_of(answer, 415)

    async def test_each_bad_line_is_told_and_the_others_are_taken_in(
        self, admin: httpx.AsyncClient
    ):
        """By its number in the file, empty lines counted."""
        lines = [
            line(id="good 1"),
            b"\n",
            line(id="no title", title=""),
            b"nonsense\n",
            b"[]\n",
            line(id="", type="poem", more=1),
            line(id="damaged", sha256="0" * 64),
            line(id="unscheduled", status="scheduled"),
            line(id="nul", body="\0"),
            b"\xff\n",
            line(id="good 2").rstrip(b"\n"),
        ]
        told = await imported(admin, b"".join(lines))

        assert counts(told) == (2, 0, 8)
        assert told["items"] == 10
        assert told["checksum"] == "missing"
        assert [(e["line"], {f["field"] for f in e["errors"]}) for e in told["errors"]] == [
            (3, {"title"}),
            (4, {""}),
            (5, {""}),
            (6, {"id", "type", "more"}),
            (7, {"sha256"}),
            (9, {"body"}),
            (10, {""}),
            (8, {"scheduled_at"}),
        ]
        assert (await listed(admin))["pagination"]["total"] == 2

    async def test_the_errors_that_are_told_have_an_end(self, admin: httpx.AsyncClient):
        """All are counted, a hundred are named."""
        told = await imported(admin, b"nonsense\n" * 300)

        assert (told["failed"], len(told["errors"])) == (300, 100)

    async def test_what_the_plan_has_no_room_for_is_told(self, daemon: SharedDaemon):
        """What still fits is taken in."""
        async with daemon.caller(
            daemon.new_key(daemon.new_tenant("tiny"), "admin").api_key
        ) as http:
            sizes = (TINY_PLAN_BYTES - 5, 6, 5)
            told = await imported(http, b"".join(line(id=str(n), body="x" * n) for n in sizes))

        assert counts(told) == (2, 0, 1)
        assert [(e["line"], e["type"]) for e in told["errors"]] == [(2, "storage_quota_exceeded")]

    async def test_a_line_that_is_too_long_is_passed_over(self, admin: httpx.AsyncClient):
        """It is never held in memory; the next one is taken in."""
        told = await imported(admin, b"x" * 11_000_000 + b"\n" + line())

        assert counts(told) == (1, 0, 1)
        assert [e["line"] for e in told["errors"]] == [1]

    async def test_nothing_is_fine(self, admin: httpx.AsyncClient):
        """An empty body imports nothing."""
        told = await imported(admin, b"")

        assert (counts(told), told["items"]) == ((0, 0, 0), 0)


class TestRoundTrip:
    """From one tenant to another."""

    async def test_everything_arrives_as_it_was(
        self,
        daemon: SharedDaemon,
        tenant: Tenant,
        elsewhere: Tenant,
        admin: httpx.AsyncClient,
        other_admin: httpx.AsyncClient,
    ):
        """800 items with equal hashes, dates, statuses and tags, from store to store."""
        await fill(admin, 800)
        await daemon.until_carried(tenant)
        items, content = await exported(admin)
        told = await imported(other_admin, content)
        await daemon.until_carried(elsewhere)
        arrived, _ = await exported(other_admin)

        assert counts(told) == (800, 0, 0)
        assert told["checksum"] == "right"
        assert len(lasting(items)) == 800
        assert lasting(arrived) == lasting(items)
        assert {item["brand_id"] for item in arrived} == {elsewhere.brand_id}
        assert (await listed(other_admin, tags="all", status="scheduled"))["pagination"][
            "total"
        ] == 160

    async def test_an_item_is_as_old_as_it_was_and_has_a_new_history(
        self, admin: httpx.AsyncClient
    ):
        """It begins with the import, by whoever imported it."""
        await imported(admin, line(created_at=LONG_AGO, published_at=LONG_AGO, status="published"))
        (item,) = (await listed(admin))["data"]
        read = (await admin.get(f"/api/content/{item['id']}")).json()

        assert (read["created_at"], read["published_at"]) == (LONG_AGO, LONG_AGO)
        assert read["updated_at"] > LONG_AGO
        assert [(v["version"], v["change_type"]) for v in read["versions"]] == [(1, "create")]

    async def test_lines_go_into_their_own_brand_where_it_is_ours(
        self, daemon: SharedDaemon, tenant: Tenant, admin: httpx.AsyncClient
    ):
        """Others into ours; with `brand_id` all into that one."""
        other = await daemon.new_brand(tenant)
        content = b"".join(
            line(id=str(n), brand_id=b) for n, b in enumerate([tenant.brand_id, other, NOWHERE])
        )
        await imported(admin, content)
        whole = await daemon.new_brand(tenant)
        await imported(admin, content.replace(b'"id": "', b'"id": "again '), brand_id=whole)

        totals = [
            (await listed(admin, brand_id=brand))["pagination"]["total"]
            for brand in (tenant.brand_id, other, whole)
        ]
        assert totals == [2, 1, 3]

    async def test_a_campaign_space_of_ours_is_kept_another_is_left_behind(
        self, admin: httpx.AsyncClient, other_admin: httpx.AsyncClient
    ):
        """And counted, so that somebody can look after it."""
        ours, theirs = await new_space(admin), await new_space(other_admin)
        told = await imported(
            admin,
            line(id="1", campaign_space_id=ours) + line(id="2", campaign_space_id=theirs),
        )

        assert (counts(told), told["detached"]) == ((2, 0, 0), 1)
        assert (await listed(admin, campaign_space_id=ours))["pagination"]["total"] == 1
        assert (await listed(admin, campaign_space_id=theirs))["pagination"]["total"] == 0


class TestOnce:
    """An item is taken in once, whatever comes again."""

    async def test_the_same_import_changes_nothing(self, admin: httpx.AsyncClient):
        """Not a version, not a byte."""
        content = b"".join(line(id=str(n)) for n in range(300))
        first, again = [await imported(admin, content) for _ in range(2)]

        assert (counts(first), counts(again)) == ((300, 0, 0), (0, 300, 0))
        assert (await listed(admin))["pagination"]["total"] == 300
        assert {item["version"] for item in (await listed(admin))["data"]} == {1}

    async def test_one_id_twice_in_a_file_is_one_item(self, admin: httpx.AsyncClient):
        """The first line wins, in whatever batch the second comes."""
        lines = [line(id="twin", title="first"), *(line(id=str(n)) for n in range(200))]
        told = await imported(
            admin, b"".join([lines[0], line(id="twin"), *lines[1:], line(id="twin")])
        )

        assert counts(told) == (201, 2, 0)
        assert await titles(admin, sort="-title", pageSize=1) == ["first"]

    async def test_an_export_that_comes_home_changes_nothing(self, admin: httpx.AsyncClient):
        """Each item is found under the id it always had, in the trash too."""
        made = await fill(admin, 20)
        _, content = await exported(admin)
        await admin.patch(f"/api/content/{made[0]['id']}", json={"title": "worked on since"})
        await admin.delete(f"/api/content/{made[1]['id']}")
        told = await imported(admin, content)

        assert counts(told) == (0, 20, 0)
        assert (await listed(admin))["pagination"]["total"] == 19
        read = (await admin.get(f"/api/content/{made[0]['id']}")).json()
        assert (read["title"], read["version"]) == ("worked on since", 2)

    async def test_an_import_that_was_cut_off_is_finished_by_sending_it_again(
        self, admin: httpx.AsyncClient, other_admin: httpx.AsyncClient
    ):
        """What arrived stays, what did not comes, and nothing is there twice."""
        await fill(admin, 600)
        items, content = await exported(admin)

        async def has_arrived() -> bool:
            return bool((await listed(other_admin))["pagination"]["total"])

        await cut_off(
            other_admin,
            content[: len(content) * 2 // 3],
            after=lambda: eventually(has_arrived),
        )
        arrived = (await listed(other_admin))["pagination"]["total"]
        told = await imported(other_admin, content)

        assert 0 < arrived < 600
        assert (told["imported"] + told["unchanged"], told["failed"]) == (600, 0)
        assert told["unchanged"] >= arrived
        assert lasting((await exported(other_admin))[0]) == lasting(items)

    async def test_the_ids_of_two_tenants_are_apart(
        self, admin: httpx.AsyncClient, other_admin: httpx.AsyncClient
    ):
        """Nobody can take or guess what an import of somebody else makes."""
        for http in (admin, other_admin):
            assert counts(await imported(http, line(id="the same"))) == (1, 0, 0)

    async def test_a_strangers_item_is_nothing_to_us(
        self, tenant: Tenant, admin: httpx.AsyncClient, other_admin: httpx.AsyncClient
    ):
        """Its id, come with an import, makes an item of our own under another id."""
        theirs = await created(other_admin, title="theirs")
        told = await imported(admin, line(id=theirs["id"], title="ours"))
        (ours,) = (await listed(admin))["data"]

        assert counts(told) == (1, 0, 0)
        assert ours["id"] == imported_id(tenant.tenant_id, tenant.brand_id, theirs["id"])
        assert (await other_admin.get(f"/api/content/{theirs['id']}")).json()["title"] == "theirs"

    async def test_ids_of_other_systems_are_ids(self, admin: httpx.AsyncClient):
        """Whatever they look like, up to 200 characters."""
        ids = ["1", "wp/post?p=17", "Größe 🎈", "x" * 200]
        content = b"".join(line(id=one) for one in ids)

        assert counts(await imported(admin, content)) == (4, 0, 0)
        assert counts(await imported(admin, content)) == (0, 4, 0)
        assert counts(await imported(admin, line(id="x" * 201))) == (0, 0, 1)


class TestChecksum:
    """The last line of an export proves the others."""

    @pytest.mark.parametrize(
        ("harm", "verdict"),
        [
            (lambda content: content, "right"),
            (lambda content: content.replace(b"body 3", b"body 4", 1), "wrong"),
            (lambda content: content.split(b"\n", 1)[1], "wrong"),
            (lambda content: content.replace(b"\n", b"\n\n", 1), "wrong"),
            (lambda content: content[: content.rindex(b'{"complete"')], "missing"),
        ],
    )
    async def test_a_damaged_file_is_seen(
        self, admin: httpx.AsyncClient, other_admin: httpx.AsyncClient, harm: Any, verdict: str
    ):
        """And one that nothing proves."""
        await fill(admin, 5)
        _, content = await exported(admin)

        assert (await imported(other_admin, harm(content)))["checksum"] == verdict


async def test_a_refused_import_stores_nothing(admin: httpx.AsyncClient):
    """A body that is one great JSON document is not read as lines by chance."""
    told = await imported(admin, json.dumps([draft(), draft()], indent=1).encode())

    assert told["imported"] == 0
    assert await holds_nothing(admin)
