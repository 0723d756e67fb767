"""Each case fails on a daemon with the mistake that it is there to find.

A mistake is planted in the process by the entry point for tests, or in the SQL of the case's own
database. The daemon dies where it would without the mistake, and a promise must be broken by then.
"""

import random
from collections.abc import Iterable, Iterator, Mapping

import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.testing.faulty.mutants import MUTANTS
from tests.faults.conftest import LONG
from tests.faults.killing import CASES
from tests.faults.killing.site import Plot, Site, faulty_site
from tests.support.oracle import superuser
from tests.support.postgres import postgres_server

__all__ = ["postgres_server"]

PATIENCE_S = 4.0
"""How long a broken promise is waited for; a whole daemon keeps it within a second."""
EVERY_TIME = frozenset(
    {
        "acknowledge-before-commit",
        "record-before-append",
        "usage is not counted",
    }
)
"""Those that would cost acknowledged content, money or trust; the others are for the long form."""

IN_PROCESS: Mapping[str, str] = {
    "acknowledge-before-commit": "ingest.before_commit",
    "settle-before-delivery": "delivery.after_claim",
    "leave-versions-untold": "delivery.between_collections",
    "carry-only-once": "delivery.after_put",
    "record-before-append": "replicator.after_freeze",
    "cut-batches-anew": "replicator.after_append",
    "leave-answers-unwritten": "generation.after_receipt",
    "leave-bytes-lying": "custodian.after_store",
    "name-assets-anew": "importer.before_note",
    "let-the-eraser-remove": "steward.before_removal",
    "go-on-a-page-too-far": "recovery.before_page",
}

# Mistakes in the SQL: the failpoint, the function, what stands there, what would stand there.
IN_SQL: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "usage is not counted": ("ingest.after_commit", "commit_writes_v1", {
        "u.total_storage_bytes + g.bytes": "u.total_storage_bytes"}),
    "a repeated call is not suspected": ("generation.after_answer", "recover_items_v2", {
        "i.unsure_calls + 1": "i.unsure_calls"}),
    "keys are not kept": ("shelver.after_write", "commit_writes_v1", {
        "w where w.idempotency_key is not null;": "w where false;"}),
    "a dead upload stays": ("custodian.after_intent", "abandon_upload_v1", {
        "not only_overdue or m.leased_until <= clock_timestamp()": "not only_overdue"}),
    "a kept file is not known": ("custodian.after_keep", "begin_upload_v1", {
        "if other.state = 'committed'": "if false"}),
    "a dead upload keeps its room": ("ledger.after_apply", "abandon_upload_v1", {
        "cardinality(held) > 0": "false"}),
    "what is stored stays owed": ("replicator.after_finish", "settle_archived_v1", {
        "o.id = any (ids)": "false"}),
    "what is due is taken at once": ("steward.after_publish", "due_items_v1", {
        " STABLE": "",
        "select i.tenant_id, i.id, i.version from public.content_items i":
            "update public.content_items i set scheduled_at = null",
        "order by i.scheduled_at limit most": "returning i.tenant_id, i.id, i.version"}),
}  # fmt: skip
_DEFINITION = "select pg_get_functiondef(('engarde.' || $1)::regproc)"


def test_every_case_has_a_mutant():
    """A case that never failed has proved nothing."""
    covered = [*IN_PROCESS.values(), *(point for point, _, _ in IN_SQL.values())]

    assert set(IN_PROCESS) == set(MUTANTS)
    assert sorted(covered) == sorted(CASES)


def due(mistakes: Iterable[str]) -> list[str]:
    """The mistakes that this run plants."""
    return [one for one in mistakes if LONG or one in EVERY_TIME]


@pytest.mark.parametrize("mutant", due(IN_PROCESS))
async def test_the_case_notices_the_mistake(
    mutant: str, postgres_server: EmbeddedPostgres, told_seed: str
):
    """One that somebody could make in Python."""
    async with faulty_site(postgres_server, mutant=mutant) as site:
        await promise_is_broken(site, IN_PROCESS[mutant], told_seed)


@pytest.mark.parametrize("mistake", due(IN_SQL))
async def test_the_case_notices_the_mistake_in_the_sql(
    mistake: str, postgres_server: EmbeddedPostgres, told_seed: str
):
    """One that somebody could make in a migration."""
    point, function, changes = IN_SQL[mistake]
    async with faulty_site(postgres_server) as site:
        async with superuser(site.daemon) as sql:
            definition: str = await sql.fetchval(_DEFINITION, function)
            for here, there in changes.items():
                assert definition.count(here) == 1, f"{here!r} is not in {function} any more"
                definition = definition.replace(here, there)
            await sql.execute(definition)
        await promise_is_broken(site, point, told_seed)


async def promise_is_broken(site: Site, point: str, seed: str) -> None:
    """Play a case, which must find the daemon wanting; that nobody died would be no finding."""
    plot = Plot(point, random.Random(f"{seed}/{point}"), patience_s=PATIENCE_S)
    reasons: list[BaseException] = []
    try:
        await CASES[point](site, plot)
    except (AssertionError, TimeoutError, ExceptionGroup) as error:
        reasons = list(leaves(error))

    assert reasons, "the case did not notice"
    assert {type(one) for one in reasons} <= {AssertionError, TimeoutError}, reasons
    print(f"{point}: {str(reasons[0])[:200]}")  # noqa: T201 - which promise was broken


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group of them."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from leaves(one)
    else:
        yield error
