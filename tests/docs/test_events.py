"""`docs/events.md` names every event and metric, and its receiver recognises our signature."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engarde_daemon.api.events.measures import NewsState
from engarde_daemon.domain.events import EventType
from engarde_daemon.domain.vitals import NewsVitals
from engarde_daemon.domain.webhooks import draw_secret, headers_of

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
SECRET = draw_secret(lambda n: b"s" * n)
NEWS = NewsVitals(
    listeners=0,
    listeners_cut_off=0,
    deliveries_waiting=0,
    oldest_delivery_age_s=0.0,
    webhooks_failing=0,
    webhooks_disabled=0,
    webhooks_locked=0,
    attempts={},
)


@pytest.fixture(scope="module")
def is_genuine() -> Callable[..., bool]:
    """The function that the page gives to receivers."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    recogniser: Callable[..., bool] = names["is_genuine"]
    return recogniser


@pytest.mark.parametrize("type_", EventType)
def test_every_event_is_named(type_: EventType):
    """An event nobody knows of is an event nobody waits for."""
    assert f"`{type_}`" in PAGE


def test_every_metric_is_named():
    """Under the name by which it is scraped."""
    for metric in NewsState(lambda: NEWS).collect():
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        assert f"`{name}" in PAGE


def test_the_receiver_of_the_page_recognises_us(is_genuine: Callable[..., bool]):
    """Also while two secrets sign."""
    other = draw_secret(lambda n: b"o" * n)
    headers = headers_of("id", b"{}", at=int(time.time()), secrets=[other, SECRET])

    assert is_genuine(headers, b"{}", SECRET)


@pytest.mark.parametrize(
    ("at", "body", "secret"),
    [
        (0, b"{}", SECRET),
        (301, b"{}", SECRET),
        (0, b"{ }", SECRET),
        (0, b"{}", draw_secret(lambda n: b"x" * n)),
    ],
    ids=["genuine", "old", "changed", "foreign"],
)
def test_the_receiver_of_the_page_refuses_others(
    is_genuine: Callable[..., bool], at: int, body: bytes, secret: str, request: Any
):
    """What is old, was changed, or was signed by someone else."""
    headers = headers_of("id", b"{}", at=int(time.time()) - at, secrets=[SECRET])

    assert is_genuine(headers, body, secret) == ("genuine" in request.node.name)
