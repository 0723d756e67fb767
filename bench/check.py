"""Looks at one answer of each kind before anything is measured.

A fast system that answers less than it was asked for would win every case; here the run ends.
"""

import http.client
from functools import partial
from typing import Any

import msgspec

from bench.cases import PAGE, PAGE_SIZE, READER, Target
from bench.errors import BenchError

BODY_BYTES = 4096


def check_answers(name: str, target: Target) -> None:
    """Read an item and two pages, and see that they hold what was stored.

    Raises:
        BenchError: An answer is not what the load expects.
    """
    read = partial(read_json, target.port, target.tenants[READER].api_key)
    item = read(f"/api/content/{target.ids[0]}")
    page = read(PAGE)
    with_bodies = read(f"{PAGE}&include=body")
    findings = {
        "the item's id": item["id"] == target.ids[0],
        "the item's body": len(item["body"].encode()) == BODY_BYTES,
        "the page's length": len(page["data"]) == PAGE_SIZE,
        "the page's total": page["pagination"]["total"] == len(target.ids),
        "the page's bodies": all(
            len(row["body"].encode()) == BODY_BYTES for row in with_bodies["data"]
        ),
    }
    wrong = [what for what, is_right in findings.items() if not is_right]
    if wrong:
        raise BenchError(f"{name} answers wrongly: {', '.join(wrong)}")


def read_json(port: int, key: str, path: str) -> dict[str, Any]:
    """Ask one question of the API.

    Raises:
        BenchError: The answer is not 200.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={"X-API-Key": key})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise BenchError(f"GET {path} answered {answer.status}: {body[:500]!r}")
    return msgspec.json.decode(body, type=dict[str, Any])
