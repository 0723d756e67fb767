"""The plans by which PostgreSQL really carried statements out, also those inside functions.

PostgreSQL's module auto_explain sends each plan to the client as a notice. Other than EXPLAIN it
sees the statements of functions, and the generic plan to which a session turns after some calls.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import asyncpg

_SETTINGS = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "notice",
}


class Node(NamedTuple):
    """One step of a plan, as far as tests look at it; `rows` is how many it read, all calls together."""

    kind: str
    table: str | None
    index: str | None  # type: ignore[assignment]
    rows: int


async def show_plans(superuser: asyncpg.Connection, database: str) -> None:
    """Have all later sessions of a database send their plans."""
    await superuser.execute("load 'auto_explain'")  # else its settings are not known yet
    for name, value in _SETTINGS.items():
        await superuser.execute(f"alter database \"{database}\" set {name} = '{value}'")


@contextmanager
def recorded(connection: asyncpg.Connection) -> Iterator[list[Node]]:
    """Collect the steps of every statement that is carried out in the block."""
    nodes: list[Node] = []

    def note(_: object, message: Any) -> None:
        _, found, plan = message.message.partition("plan:\n")
        if found:
            nodes.extend(_steps(json.loads(plan)["Plan"]))

    connection.add_log_listener(note)
    try:
        yield nodes
    finally:
        connection.remove_log_listener(note)


def _steps(plan: dict[str, Any]) -> Iterator[Node]:
    yield Node(
        plan["Node Type"], plan.get("Relation Name"), plan.get("Index Name"), _rows_read(plan)
    )
    for inner in plan.get("Plans", []):
        yield from _steps(inner)


def _rows_read(plan: dict[str, Any]) -> int:
    """What the step gave on, and what it looked at and threw away; plans tell the mean of a loop."""
    names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    read: float = sum(plan.get(name, 0) for name in names) * plan["Actual Loops"]
    return round(read)
