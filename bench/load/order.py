"""What the harness asks of the generator, and what it gets back.

Both cross a process boundary as JSON, so these two structures are the whole contract.
"""

from enum import StrEnum

import msgspec


class Traffic(StrEnum):
    """The kinds of request that the generator can make."""

    CREATE = "create"
    PATCH = "patch"
    FETCH = "fetch"


class LoadOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One load: who is asked what, over how many connections, for how long.

    With `requests_each` the load ends when each connection has had that many answers, instead of
    after `seconds`. With `rate_per_s` all connections together ask no more often than that. With
    `in_turn` each connection asks for all callers in turn, and `paths[i]` is of `keys[i]`; without,
    a connection is one caller. The connections are spread over `port` and `other_ports`.
    """

    port: int
    traffic: Traffic
    keys: list[str]
    connections: int
    host: str = "127.0.0.1"
    other_ports: list[int] = []
    in_turn: bool = False
    rate_per_s: float = 0.0
    seconds: float = 0.0
    warm_up_s: float = 0.0
    requests_each: int = 0
    ids: list[str] = []
    paths: list[str] = []
    first_serial: int = 0
    body_bytes: int = 4096
    collects_ids: bool = False


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one load saw; latencies are of successful answers inside the measured window."""

    requests: int
    seconds: float
    per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    errors: dict[str, int]
    requests_with_warm_up: int
    cpu_us_per_request: float
    cpu_share: float
    ids: list[str] = []
