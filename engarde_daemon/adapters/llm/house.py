"""From the name of a provider to the model behind it.

Owns where a key may go: to the address its tenant gave with it, or to the operator's, and through
the same guard as every other URL of a tenant. Only what the operator wrote down itself may lead to
a private address.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import msgspec

from engarde_daemon.adapters.http import Calls
from engarde_daemon.adapters.llm.anthropic import VERSION, MessagesModel, PlainModels
from engarde_daemon.adapters.llm.chat import ChatModel, Habits
from engarde_daemon.adapters.llm.faults import fault_of
from engarde_daemon.adapters.llm.message_batches import MessageBatches
from engarde_daemon.adapters.llm.openai_batches import (
    OpenAIBatches,
    chat_dialect,
    responses_dialect,
)
from engarde_daemon.adapters.llm.responses import ResponsesModel
from engarde_daemon.adapters.llm.template import TemplateModel
from engarde_daemon.adapters.llm.wire import RefusedError, Wire
from engarde_daemon.ports.batches import BATCH_KINDS, BatchModel
from engarde_daemon.ports.models import FaultKind, LanguageModel, ModelFault, Secret

SERVERS_MAX = 1000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ProviderSite(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of provider it is, and where."""

    kind: str
    base_url: str
    dialect: str


class HouseOfModels:
    """The ports `ModelHouse` and `BatchHouse`; `own` goes wherever the operator says, `guarded` where tenants may."""

    def __init__(
        self,
        sites: Mapping[str, ProviderSite],
        *,
        own: Calls,
        guarded: Calls,
        timeout_s: float,
    ) -> None:
        self._sites = sites
        self._ways = (own, guarded)
        self._own = Wire(own, timeout_s=timeout_s)
        self._guarded = Wire(guarded, timeout_s=timeout_s)
        self._habits: dict[tuple[str, str], Habits] = {}
        self._plain: dict[str, PlainModels] = {}

    def model_of(self, provider: str, secret: Secret | None) -> LanguageModel:
        """See `ModelHouse.model_of`."""
        site = self._site(provider, secret)
        if site.kind == "template":
            return TemplateModel()
        wire, base_url = self._way(provider, site, secret)
        return self._speaking(site, wire, base_url=base_url, secret=secret)

    def batches_of(self, provider: str, secret: Secret | None) -> BatchModel:
        """See `BatchHouse.batches_of`."""
        site = self._site(provider, secret)
        if secret is None or site.kind not in BATCH_KINDS:
            raise _locked(f"The provider {provider} takes no batches.")
        wire, base_url = self._way(provider, site, secret)
        key = secret.api_key
        if site.kind == "anthropic":
            plain = self._plain_at(base_url)
            return MessageBatches(wire, base_url=base_url, api_key=key, plain=plain)
        dialect = responses_dialect()
        if site.dialect != "responses":
            dialect = chat_dialect(self._habits_of(site, base_url))
        return OpenAIBatches(wire, base_url=base_url, api_key=key, dialect=dialect)

    async def try_key(self, provider: str, secret: Secret) -> None:
        """See `ModelHouse.try_key`; every dialect lists its models, for nothing."""
        wire, base_url = self._way(provider, self._site(provider, secret), secret)
        url, headers = (
            f"{base_url.rstrip('/')}/models",
            {"authorization": f"Bearer {secret.api_key}"},
        )
        if self._sites[provider].kind == "anthropic":
            url = f"{base_url.rstrip('/')}/v1/models?limit=1"
            headers = {"x-api-key": secret.api_key, "anthropic-version": VERSION}
        try:
            await wire.fetch(url, headers)
        except RefusedError as refused:
            raise fault_of(refused.refusal) from None

    async def close(self) -> None:
        """See `ModelHouse.close`."""
        for calls in self._ways:
            await calls.aclose()

    def _site(self, provider: str, secret: Secret | None) -> ProviderSite:
        site = self._sites.get(provider)
        if site is None:
            raise _locked(f"The provider {provider} is not configured here any more.")
        if secret is None and site.kind not in {"compatible", "template"}:
            raise _locked(f"There is no key for {provider}. PUT /api/credentials/{provider}.")
        return site

    def _way(self, provider: str, site: ProviderSite, secret: Secret | None) -> tuple[Wire, str]:
        named = secret.base_url if secret else None
        if not (named or site.base_url):
            raise _locked(f"[generation.providers.{provider}] base_url is empty.")
        return (self._guarded, named) if named else (self._own, site.base_url)

    def _habits_of(self, site: ProviderSite, base_url: str) -> Habits:
        field = "max_completion_tokens" if site.kind == "openai" else "max_tokens"
        return _kept(self._habits, (base_url, field), lambda: Habits(token_field=field))

    def _plain_at(self, base_url: str) -> PlainModels:
        return _kept(self._plain, base_url, PlainModels)

    def _speaking(
        self, site: ProviderSite, wire: Wire, *, base_url: str, secret: Secret | None
    ) -> LanguageModel:
        key = secret.api_key if secret else None
        if site.kind == "anthropic":
            plain = self._plain_at(base_url)
            return MessagesModel(wire, base_url=base_url, api_key=key or "", plain=plain)
        if site.kind == "openai" and site.dialect == "responses":
            return ResponsesModel(wire, base_url=base_url, api_key=key)
        habits = self._habits_of(site, base_url)
        return ChatModel(wire, base_url=base_url, api_key=key, habits=habits)


def _kept(known: dict[K, V], key: K, make: Callable[[], V]) -> V:
    """What was found out of one server, and of no other: tenants name servers of their own.

    So many are remembered at most. What is forgotten is found out again.
    """
    if key not in known:
        if len(known) >= SERVERS_MAX:
            known.clear()
        known[key] = make()
    return known[key]


def _locked(detail: str) -> ModelFault:
    return ModelFault(FaultKind.LOCKED, detail)
