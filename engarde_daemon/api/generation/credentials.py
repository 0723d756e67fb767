"""Tenants' keys for providers: in, replaced and out, but never shown."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec
from msgspec import UNSET

from actors.examiner.messages import TryKey
from actors.foreman.messages import ForemanMessage, PutCredential, RemoveCredential
from engarde_daemon.api.generation.schemas import (
    CredentialList,
    CredentialPut,
    CredentialView,
    KeyTest,
)
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal
from engarde_daemon.domain.errors import Conflict, FieldError, Invalid, NotFound
from engarde_daemon.domain.generation import KeyVerdict
from engarde_daemon.ports.generation import JobLibrary
from engarde_daemon.ports.models import ProviderRules, Secret
from engarde_daemon.ports.platforms import GoogleAdsSecret, MetaSecret, PlatformSecret


class CredentialDesk:
    """Serves the routes of credentials."""

    def __init__(
        self,
        *,
        foreman: Address[ForemanMessage],
        examiner: Address[TryKey],
        jobs: JobLibrary,
        providers: Mapping[str, ProviderRules],
        url_fault: Callable[[str], str | None],
        timeout_s: float,
    ) -> None:
        self._foreman = foreman
        self._examiner = examiner
        self._jobs = jobs
        self._providers = providers
        self._url_fault = url_fault
        self._timeout_s = timeout_s

    async def page(self, principal: Principal) -> CredentialList:
        """All credentials of the caller's tenant."""
        found = await self._jobs.credentials(principal.tenant_id)
        return CredentialList(data=[CredentialView(**msgspec.structs.asdict(one)) for one in found])

    async def put(self, principal: Principal, provider: str, wish: CredentialPut) -> CredentialView:
        """Keep a key; jobs that waited for a better one go on.

        Raises:
            Invalid: The address may not be called, or the provider refuses the key.
            NotFound: There is no such provider.
            Conflict: Somebody else removed the key at once.
        """
        self._require(provider)
        fault = self._url_fault(wish.base_url) if wish.base_url is not None else None
        if fault is not None:
            raise Invalid([FieldError("base_url", fault)])
        secret = _secret_of(provider, wish)
        test = await self._test(provider, secret) if wish.test else UNSET
        await self._foreman.ask(
            PutCredential(
                tenant_id=principal.tenant_id,
                provider=provider,
                secret=secret,
                by=principal.user_id,
            ),
            timeout_s=self._timeout_s,
        )
        listed = await self.page(principal)
        kept = next((one for one in listed.data if one.provider == provider), None)
        if kept is None:
            raise Conflict("The key was kept, and removed by somebody else at once.")
        return msgspec.structs.replace(kept, test=test)

    async def remove(self, principal: Principal, provider: str) -> None:
        """Forget a key."""
        self._require(provider)
        await self._foreman.ask(
            RemoveCredential(tenant_id=principal.tenant_id, provider=provider),
            timeout_s=self._timeout_s,
        )

    async def _test(self, provider: str, secret: Secret | PlatformSecret) -> KeyTest:
        if not isinstance(secret, Secret):
            raise Invalid([FieldError("test", f"is nothing that {provider} takes")])
        trial = await self._examiner.ask(TryKey(provider, secret), timeout_s=self._timeout_s)
        if trial.verdict is KeyVerdict.REFUSED:
            raise Invalid([FieldError("api_key", trial.message)])
        return KeyTest(passed=trial.verdict is KeyVerdict.ACCEPTED, message=trial.message)

    def _require(self, provider: str) -> None:
        rules = self._providers.get(provider)
        if provider not in _PLATFORMS and (rules is None or rules.kind == "template"):
            models = (n for n, one in self._providers.items() if one.kind != "template")
            known = ", ".join(sorted([*models, *_PLATFORMS]))
            raise NotFound(f"There is no such provider; there are {known}.")


_PLATFORMS: Mapping[str, type[GoogleAdsSecret | MetaSecret]] = MappingProxyType(
    {"google_ads": GoogleAdsSecret, "meta": MetaSecret}
)


def _secret_of(provider: str, wish: CredentialPut) -> Secret | PlatformSecret:
    """The secret of a provider, from just the fields that it takes.

    Raises:
        Invalid: Fields are missing, or belong to another provider; all are named.
    """
    shape = _PLATFORMS.get(provider, Secret)
    wished = msgspec.structs.asdict(wish)
    given = {name: value for name, value in wished.items() if value and name != "test"}
    fields = msgspec.structs.fields(shape)
    missing = [one.name for one in fields if one.required and one.name not in given]
    strange = sorted(given.keys() - {one.name for one in fields})
    if missing or strange:
        errors = [FieldError(name, "is required") for name in missing]
        errors += [FieldError(name, f"is nothing that {provider} takes") for name in strange]
        raise Invalid(errors)
    return shape(**given)
