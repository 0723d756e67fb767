"""What the dashboard and the alerts ask for, a running daemon has; what rings has a page."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.support.daemon import SharedDaemon, shared_daemon
from tests.support.postgres import postgres_server

__all__ = ["postgres_server", "shared_daemon"]

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "docs" / "operations.md"
PROMETHEUS_OWN = {"up"}
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
_METRIC = re.compile(r"\b(?:engarde|process)_[a-z_]+\b")
_SELECTOR = re.compile(r"(\w+)\{([^}]*)\}")
_LABEL = re.compile(r"(\w+)=~?\"")


def rules() -> list[dict[str, Any]]:
    """Every alert."""
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Every panel that shows something."""
    found = json.loads((ROOT / "deploy" / "grafana" / "engarde.json").read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> list[str]:
    """Everything that is asked of Prometheus."""
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [*(rule["expr"] for rule in rules()), *asked]


@pytest.fixture(scope="module")
async def exposition(shared_daemon: SharedDaemon) -> str:
    """What a daemon that was asked something exposes."""
    tenant = await shared_daemon.quick_tenant()
    async with shared_daemon.caller((await shared_daemon.quick_key(tenant)).api_key) as http:
        made = await http.post("/api/content", json={"title": "Seen", "body": "by Prometheus"})
        assert made.status_code == 201
        return (await http.get("/metrics")).text


def names_in(exposition: str) -> Iterator[str]:
    """Every metric there is, also those that have counted nothing yet."""
    for family in text_string_to_metric_families(exposition):
        yield from (family.name + suffix for suffix in SUFFIXES[family.type])


def test_every_metric_that_is_asked_for_exists(exposition: str):
    """A name that was changed would make an alert that never rings."""
    asked = {name for text in expressions() for name in _METRIC.findall(text)}

    assert len(asked) > 20
    assert asked - set(names_in(exposition)) == set()


def test_every_label_that_is_asked_for_exists(exposition: str):
    """As does a label."""
    known: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            known.setdefault(sample.name, {"job", "instance"}).update(sample.labels)
    asked = [
        (name, label)
        for text in expressions()
        for name, inside in _SELECTOR.findall(text)
        if name in known
        for label in _LABEL.findall(inside)
    ]

    assert len(asked) > 20
    assert [(name, label) for name, label in asked if label not in known[name]] == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_alert_has_its_page(rule: dict[str, Any]):
    """With a heading of its own that the link leads to."""
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")

    assert page == "docs/operations.md"
    assert anchor == rule["alert"].lower()
    assert f"\n### {rule['alert']}\n" in RUNBOOKS.read_text()
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}


def test_no_page_tells_of_an_alert_that_is_gone():
    """What nobody rings for, nobody reads."""
    told = set(re.findall(r"^### (Engarde\w+)$", RUNBOOKS.read_text(), re.MULTILINE))

    assert told == {rule["alert"] for rule in rules()}


def test_every_metric_that_the_page_names_exists(exposition: str):
    """The table of metrics is the promise."""
    table = RUNBOOKS.read_text().partition("## Metrics")[2].partition("\n## ")[0]
    named = set(re.findall(r"`((?:engarde|process)_[a-z_*]+)[`{]", table))
    known = {
        name.removesuffix(suffix) for name in names_in(exposition) for suffix in ("", "_bucket")
    }

    missing = [
        name
        for name in named
        if not any(
            have.startswith(name[:-1]) if name.endswith("*") else have == name for have in known
        )
    ]
    assert missing == []


def test_panels_have_names_and_places_of_their_own():
    """Two panels on one place hide each other."""
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]

    assert len(set(places)) == len(places)
    assert len({panel["title"] for panel in panels()}) == len(places)
