"""What is remembered of tenants' keys: as long as it is of use, and no longer."""

import os

import anyio
import msgspec

from actors.generation.credentials import MINUTE_S, TRUST_S, Credentials
from engarde_daemon.adapters.http import Calls, Gate
from engarde_daemon.adapters.llm.house import HouseOfModels
from engarde_daemon.adapters.secrets import EnvelopeBox
from engarde_daemon.ports.models import ProviderRules, Secret
from engarde_daemon.ports.secrets import SealedKey, purpose_of

BOX = EnvelopeBox([b"k" * 32], os.urandom)
PER_MIN = 2


class Drawer:
    """The `CredentialBench` port: every tenant has a key."""

    def __init__(self) -> None:
        self.asked = 0

    async def key(self, tenant_id: str, provider: str) -> SealedKey:
        """See `CredentialBench.key`."""
        self.asked += 1
        text = msgspec.json.encode(Secret("sk-test")).decode()
        return SealedKey(tenant_id, provider, BOX.seal(text, purpose_of(tenant_id, provider)))

    async def pause(self, key: SealedKey, reason: str) -> None:
        """See `CredentialBench.pause`."""


class Scene:
    """Credentials, and the time that passes for them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.drawer = Drawer()
        rules = ProviderRules(
            kind="openai",
            needs_key=True,
            concurrency=2,
            requests_per_min=PER_MIN,
            tokens_per_min=0,
        )
        calls = Calls(Gate(), connections=1)
        self.credentials = Credentials(
            bench=self.drawer,
            box=BOX,
            house=HouseOfModels({}, own=calls, guarded=calls, timeout_s=1.0),
            providers={"openai": rules},
            clock=lambda: self.now,
        )

    async def call(self, tenant_id: str) -> None:
        """All that happens before a call."""
        await self.credentials.key_of(tenant_id, "openai")
        await self.credentials.admit(tenant_id, "openai", lambda: 1)

    def remembered(self) -> set[str]:
        """The tenants of whom anything is remembered."""
        places = [*self.credentials._known, *self.credentials._paces]
        return {tenant_id for tenant_id, _ in places}


async def test_tenants_who_come_and_go_leave_nothing_behind():
    """Neither a key nor a pace, a minute after the last call."""
    scene = Scene()
    for number in range(100):
        await scene.call(f"tenant-{number}")
    scene.now += MINUTE_S + TRUST_S
    await scene.call("another")

    assert scene.remembered() == {"another"}


async def test_a_rest_outlasts_the_tidying():
    """A provider that asked for time gets it, though nothing is asked of it meanwhile."""
    scene = Scene()
    await scene.call("tired")
    scene.credentials.rest("tired", "openai", 2 * MINUTE_S)
    scene.now += MINUTE_S + TRUST_S
    await scene.call("another")
    assert scene.credentials.resting() == ["tired openai"]

    scene.now += MINUTE_S + TRUST_S
    await scene.call("another")
    assert scene.remembered() == {"another"}


async def test_a_pace_that_somebody_waits_for_is_kept():
    """Another one in its place would let twice as many calls through."""
    scene = Scene()
    for _ in range(PER_MIN):
        await scene.call("busy")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(scene.call, "busy")
        await anyio.wait_all_tasks_blocked()
        scene.now += MINUTE_S + TRUST_S
        await scene.call("another")
        kept = scene.remembered()
        tasks.cancel_scope.cancel()

    assert kept == {"busy", "another"}


async def test_a_key_is_read_again_when_it_is_too_old():
    """A tenant may have set another one on another daemon."""
    scene = Scene()
    await scene.credentials.key_of("t", "openai")
    await scene.credentials.key_of("t", "openai")
    assert scene.drawer.asked == 1

    scene.now += TRUST_S + 1
    await scene.credentials.key_of("t", "openai")
    assert scene.drawer.asked == 2
