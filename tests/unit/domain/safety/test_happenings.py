"""What happened is told in one line, and never what a tenant keeps."""

import msgspec
import pytest

from engarde_daemon.core.health import EventKind, KernelEvent
from engarde_daemon.domain.safety import stores_of
from engarde_daemon.domain.safety.happenings import (
    actor_event,
    store_event,
    tenant_severity,
    tenant_text,
)
from engarde_daemon.protocol import Severity
from tests.unit.domain.safety.scenes import NOW, scene, zerodb

PATH = "root/pipelines/delivery"


@pytest.mark.parametrize(
    ("event", "severity", "text"),
    [
        (KernelEvent(kind=EventKind.STARTED, path=PATH), "ok", "delivery started"),
        (
            KernelEvent(kind=EventKind.CRASHED, path=PATH, error=KeyError("x")),
            "warning",
            "delivery crashed: KeyError: 'x'",
        ),
        (
            KernelEvent(kind=EventKind.RESTARTING, path=PATH, delay_s=0.25),
            "warning",
            "delivery restarting in 0.2 s",
        ),
        (
            KernelEvent(kind=EventKind.ABANDONED, path=PATH, messages=3),
            "warning",
            "delivery abandoned: 3 not done",
        ),
    ],
)
def test_what_happens_to_an_actor_is_told(event: KernelEvent, severity: str, text: str):
    """By its name, with why."""
    told = actor_event(event, NOW)

    assert (told.source, told.subject, told.at) == ("actors", PATH, NOW)
    assert (told.type, told.severity, told.text) == (f"actor.{event.kind.value}", severity, text)


def test_a_store_that_is_as_before_is_not_told_of():
    """Nor is one that was healthy from the start."""
    well = stores_of(scene())[1]
    ill = stores_of(scene(stores=zerodb(state="degraded", reason="why")))[1]

    assert store_event(None, well, NOW) is None
    assert store_event(ill, msgspec.structs.replace(ill, latency_s=1.0), NOW) is None


def test_a_store_that_changed_is_told_with_cause_and_effect():
    """Both ways."""
    well = stores_of(scene())[1]
    ill = stores_of(scene(stores=zerodb(state="failed_over", reason="no answer for 5 s")))[1]
    fallen, risen = store_event(well, ill, NOW), store_event(ill, well, NOW)

    assert fallen is not None
    assert (fallen.type, fallen.subject) == ("store.failed_over", "zerodb")
    assert fallen.severity is Severity.WARNING
    assert fallen.text.startswith("ZeroDB is failed over. No answer for 5 s. Writes go on")
    assert risen is not None
    assert (risen.type, risen.text) == ("store.healthy", "ZeroDB is healthy.")


@pytest.mark.parametrize(
    ("type_", "version", "data", "severity", "text"),
    [
        ("content.created", 1, None, "ok", "content created, version 1"),
        ("content.published", None, None, "ok", "content published"),
        (
            "quota.exceeded",
            None,
            '{"usage_percent": 101.2, "plan_tier": "free"}',
            "fault",
            "quota exceeded: 101.2 % of free is in use",
        ),
        ("quota.warning", None, '{"cut o', "warning", "quota warning: None % of None is in use"),
        ("generation.failed", None, '{"id": "1"}', "warning", "generation failed"),
    ],
)
def test_what_happens_to_a_tenant_is_told(type_, version, data, severity, text):
    """Without titles, bodies and names."""
    assert (tenant_text(type_, version, data), tenant_severity(type_)) == (text, severity)
