"""The ledger's SQL does what its model does, and the comparison would notice if it did not."""

import re
from collections import Counter

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import sql
from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.ports.ledger import Verdict
from tests.integration.ledger.machine import bench, ledger_machine

ROUNDS_MAX = 20
EXAMPLES = 25
STEPS = 30
OPERATIONS_MIN = 1_000
LEDGER = "migrations/0007_pre_ledger_functions.sql"
RUN = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    # In CI Hypothesis repeats the same examples, and every round would be the first one again.
    derandomize=False,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)
WITHOUT_SHRINKING = settings(
    RUN, max_examples=ROUNDS_MAX * EXAMPLES, phases=[Phase.generate], print_blob=False
)

# Mistakes that someone could make in the SQL: function, what stands there, what would stand there.
MUTANTS = {
    "one too many fits": ("ledger_step_v1", "op.amount <= free", "op.amount <= free + 1"),
    "the last one does not fit": ("ledger_step_v1", "op.amount <= free", "op.amount < free"),
    "nothing can be promised": ("ledger_step_v1", "op.amount > 0 and ", ""),
    "late settling counts": ("ledger_step_v1", " or held.expires_at <= at then 'expired'\n            when op.amount", " then 'expired'\n            when op.amount"),
    "the whole promise is used": ("ledger_apply_v1", "-held.amount, op.amount", "-held.amount, held.amount"),
    "an expired promise keeps its room": ("expire_reservations_v1", "-r.amount, 0", "0, 0"),
    "months are one": ("ledger_room_v1", " and g.period = op.period", ""),
}  # fmt: skip


def test_the_book_does_what_the_model_does(dsn_as: DsnAs):
    """A thousand operations on three tenants, with every verdict among the answers."""
    with bench(dsn_as("postgres")) as desk:
        machine = ledger_machine(desk)
        done = vars(machine)["done"]
        for _ in range(ROUNDS_MAX):
            run_state_machine_as_test(machine, settings=RUN)
            if is_enough(done):
                break

    assert is_enough(done), done


def is_enough(done: Counter[str]) -> bool:
    """Whether so much happened that the agreement means something.

    How much a round of Hypothesis does, varies by an order of magnitude.
    """
    met = all(done[verdict.value] for verdict in Verdict) and done["given back"] > 0
    return met and done.total() >= OPERATIONS_MIN


@pytest.mark.parametrize("mistake", MUTANTS)
def test_the_comparison_notices(mistake: str, dsn_as: DsnAs):
    """A mistake in the SQL is found within the same number of steps."""
    function, here, there = MUTANTS[mistake]
    definition = definition_of(function)
    assert definition.count(here) == 1, f"{here!r} is not in {function} any more"

    with bench(dsn_as("postgres")) as desk:
        desk.call(desk.pool.execute, definition.replace(here, there))
        with pytest.raises((AssertionError, asyncpg.PostgresError)):
            run_state_machine_as_test(ledger_machine(desk), settings=WITHOUT_SHRINKING)


def definition_of(function: str) -> str:
    """The statement that replaces a function of the ledger by itself."""
    pattern = rf"create function engarde\.{function}\b.*?\n(?:end )?\$\$;"
    found = re.search(pattern, sql.text(LEDGER), re.DOTALL)
    assert found is not None, function
    return found[0].replace("create function", "create or replace function", 1)
