"""Spans on their way to a collector, over a real socket."""

import sys
from contextlib import AsyncExitStack

import anyio
import msgspec
import pytest

from engarde_daemon.adapters.telemetry import TracedModels
from engarde_daemon.adapters.telemetry.exporting import opened
from engarde_daemon.config import Settings
from engarde_daemon.config.settings import Telemetry
from engarde_daemon.daemon.telemetry import NotInstalled, open_instruments
from engarde_daemon.domain.prompts import Prompt
from engarde_daemon.ports.models import Ask, FaultKind, Hear, ModelFault, Reply, Secret
from tests.support.collector import collecting
from tests.support.patience import PATIENCE_S

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLER = f"00-{TRACE}-{SPAN}-01"


class House:
    """One model, which answers or fails as it was told."""

    def __init__(self, fault: ModelFault | None = None) -> None:
        self._fault = fault

    def model_of(self, provider: str, secret: Secret | None) -> "House":
        """The model."""
        del provider, secret
        return self

    async def write(self, ask: Ask, hear: Hear | None = None) -> Reply:
        """Answer or fail."""
        del ask, hear
        if self._fault:
            raise self._fault
        return Reply(text="text", usage=None, model="small-1")

    async def try_key(self, provider: str, secret: Secret) -> None:
        """Take every key."""

    async def close(self) -> None:
        """There is nothing to close."""


ASK = Ask(model="small", prompt=Prompt(system="", user="Write.", values={}), max_tokens=10)


async def test_without_the_extra_the_daemon_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    """Rather than run on and tell nobody anything."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.delitem(sys.modules, "engarde_daemon.adapters.telemetry.exporting", raising=False)
    settings = Settings(telemetry=Telemetry(endpoint="http://127.0.0.1:1/v1/traces"))

    async with AsyncExitStack() as resources:
        with pytest.raises(NotInstalled, match="engarde-daemon\\[otel\\]"):
            await open_instruments(settings, None, resources)


async def test_without_an_endpoint_every_part_stays_as_it_is():
    """What is off costs nothing."""
    house = House()
    async with AsyncExitStack() as resources:
        instruments = await open_instruments(Settings(), None, resources)

        assert instruments.models(house) is house


async def test_a_collector_that_hangs_holds_nobody_up():
    """Neither who works nor who stops; what could not be sent is dropped."""
    async with collecting() as collector:
        collector.hangs = True
        settings = Telemetry(endpoint=collector.url, timeout_s=0.3)
        with anyio.fail_after(PATIENCE_S):
            async with opened(settings, "1") as tracer:
                for _ in range(10_000):
                    tracer.begin("work").end()
                await collector.asked.wait()

    assert collector.spans == []


async def test_a_collector_that_is_away_is_got_over():
    """The end waits no longer than the settings allow."""
    settings = Telemetry(endpoint="http://127.0.0.1:1/v1/traces", timeout_s=0.3)
    with anyio.fail_after(PATIENCE_S):
        async with opened(settings, "1") as tracer:
            tracer.begin("work").end()


async def test_a_callers_decision_not_to_record_is_kept():
    """Such a span has no name for others, and is told to nobody."""
    async with collecting() as collector:
        async with opened(Telemetry(endpoint=collector.url), "1") as tracer:
            quiet = tracer.begin("quiet", parent=f"00-{TRACE}-{SPAN}-00")
            assert quiet.traceparent is None
            quiet.end()
            tracer.begin("loud", parent=CALLER).end()
        loud = await collector.first("loud")

    assert (loud.trace_id, loud.parent_id) == (TRACE, SPAN)
    assert [span.name for span in collector.spans] == ["loud"]


async def test_a_model_that_fails_is_told_as_a_failure():
    """By its kind alone: what the provider said may be anything."""
    fault = ModelFault(FaultKind.BUSY, "secret words")
    async with collecting() as collector:
        async with opened(Telemetry(endpoint=collector.url), "1") as tracer:
            model = TracedModels(House(fault), tracer).model_of("openai", None)
            with pytest.raises(ModelFault):
                await model.write(ASK)
        call = await collector.first("model call")

    assert call.failure == "ModelFault"
    assert "secret words" not in str(msgspec.to_builtins(call.attributes))


async def test_a_call_of_a_model_names_provider_and_model():
    """And nothing of what was asked."""
    async with collecting() as collector:
        async with opened(Telemetry(endpoint=collector.url), "1") as tracer:
            await TracedModels(House(), tracer).model_of("openai", None).write(ASK)
        call = await collector.first("model call")

    assert call.attributes == {
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "small",
        "gen_ai.response.model": "small-1",
    }
