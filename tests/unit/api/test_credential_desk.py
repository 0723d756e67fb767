"""What a caller is told who sets a key while somebody else removes it."""

from typing import Any

import pytest

from actors.examiner.messages import TryKey
from actors.foreman.messages import PutCredential
from engarde_daemon.api.generation.credentials import CredentialDesk
from engarde_daemon.api.generation.schemas import CredentialPut
from engarde_daemon.core import Actor, Supervisor
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Conflict
from engarde_daemon.ports.models import ProviderRules
from tests.support.acting import acting
from tests.unit.api.test_following import NoJobs

RULES = ProviderRules(
    kind="openai", needs_key=True, concurrency=2, requests_per_min=0, tokens_per_min=0
)


class Keeping(Actor[PutCredential]):
    """A foreman that keeps every key."""

    def __init__(self, kept: list[str]) -> None:
        self._kept = kept

    async def receive(self, message: PutCredential) -> Any:
        """Keep it."""
        self._kept.append(message.provider)


class Forgetful(NoJobs):
    """Where every key is gone by the time somebody looks."""

    async def credentials(self, tenant_id: str) -> list[Any]:
        """See `JobLibrary.credentials`."""
        del tenant_id
        return []


def never() -> Actor[TryKey]:
    """Nobody is asked to try a key."""
    raise AssertionError


async def test_a_key_that_is_gone_at_once_is_a_conflict():
    """Both did what they said; who set it must not take it for a defect."""
    kept: list[str] = []
    async with acting(lambda: Keeping(kept)) as foreman:
        desk = CredentialDesk(
            foreman=foreman,  # type: ignore[arg-type]  # of all messages it hears this one alone
            examiner=Supervisor("nobody").add("examiner", never, capacity=1),
            jobs=Forgetful(),
            providers={"openai": RULES},
            url_fault=lambda _: None,
            timeout_s=5.0,
        )
        principal = Principal(tenant_id="t", brand_id="b", user_id="u", role=Role.ADMIN, key_id="k")
        with pytest.raises(Conflict):
            await desk.put(principal, "openai", CredentialPut(api_key="sk-test"))

    assert kept == ["openai"]
