"""From a wish to a job: who writes it, what it will take, and whether the plan allows that.

Owns the promise that nothing wrong is found out only after the first call: variables, provider,
key, price limit and plan are looked at before a job exists.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec

from engarde_daemon.api.generation.schemas import GenerateBatch, QuotaCheck
from engarde_daemon.domain.access import Principal
from engarde_daemon.domain.errors import FieldError, Invalid, QuotaExceeded
from engarde_daemon.domain.estimates import (
    Estimate,
    dearest_call,
    estimate,
    item_bytes,
)
from engarde_daemon.domain.generation import GenerationLimitReached, JobSpec, Mode
from engarde_daemon.domain.plans import GB, Plan, fits, plan_named, upgrade_suggestion
from engarde_daemon.domain.prompts import (
    PROMPT_CHARACTERS_MAX,
    Prompt,
    longest_prompt,
    prompt_for,
    template_faults,
)
from engarde_daemon.domain.voice import Voice
from engarde_daemon.ports.batches import BATCH_KINDS
from engarde_daemon.ports.content import ContentLibrary, Usage
from engarde_daemon.ports.generation import JobDraft, JobLibrary
from engarde_daemon.ports.models import PriceList, ProviderRules
from engarde_daemon.ports.register import RegisterReader

GB_DECIMALS = 4
TEMPLATE_FIELD = "generation_params.prompt_template"

_KIND_BY_MODEL = (("template", "template"), ("claude", "anthropic"), ("", "openai"))


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A job that could be made, and what it would take."""

    spec: JobSpec
    estimate: Estimate
    completion: datetime
    item_cost_usd: Decimal | None
    quota: QuotaCheck
    usage: Usage
    plan: Plan
    items_left: int | None
    period: date


class Planner:
    """Plans jobs; nothing here writes."""

    def __init__(
        self,
        *,
        register: RegisterReader,
        jobs: JobLibrary,
        library: ContentLibrary,
        prices: PriceList,
        providers: Mapping[str, ProviderRules],
        plans: Mapping[str, Plan],
        default_model: str,
        hold_s: float,
        now: Callable[[], datetime],
    ) -> None:
        self._register = register
        self._jobs = jobs
        self._library = library
        self._prices = prices
        self._providers = providers
        self._plans = plans
        self._default_model = default_model
        self._hold_s = hold_s
        self.now = now

    async def plan(self, principal: Principal, brand_id: str, wish: GenerateBatch) -> Planned:
        """Everything about the job that a wish would become.

        Raises:
            Invalid: The wish cannot be fulfilled as it is; all faults are named.
            Unavailable: PostgreSQL does not answer.
        """
        model = wish.generation_params.model or self._default_model
        provider = wish.generation_params.provider or self._provider_of(model)
        await self._check(principal.tenant_id, wish, provider)
        kept = await self._register.voice(principal.tenant_id, brand_id)
        spec = _spec_of(wish, kept.voice if kept else Voice(), provider=provider, model=model)
        rules = self._providers[provider]
        price = await self._prices.price(rules.kind, model, wish.mode)
        if wish.max_cost_usd is not None and price is None:
            hint = f"cannot be kept: nobody knows what {model} costs"
            raise Invalid([FieldError("max_cost_usd", hint)])
        prompt = _longest_of(spec)
        told = estimate(spec, prompt, price, concurrency=rules.concurrency)
        cost = dearest_call(spec, prompt, price)
        return await self._weigh(principal.tenant_id, spec, told=told, cost=cost)

    def draft(
        self, planned: Planned, wish: GenerateBatch, *, principal: Principal, brand_id: str
    ) -> JobDraft:
        """The job itself, without its name and its fingerprint."""
        spec = planned.spec
        return JobDraft(
            id="",
            tenant_id=principal.tenant_id,
            brand_id=brand_id,
            user_id=principal.user_id,
            job_type=wish.job_type,
            target_count=spec.target_count,
            content_type=spec.content_type.value,
            generation_params=msgspec.to_builtins(wish.generation_params),
            spec=spec,
            provider=spec.provider,
            model=spec.model,
            period=planned.period,
            item_bytes=item_bytes(spec.content_type),
            item_cost_usd=planned.item_cost_usd,
            max_cost_usd=None if wish.max_cost_usd is None else Decimal(str(wish.max_cost_usd)),
            preview_items=wish.preview,
            fingerprint="",
            hold_s=self._hold_s,
        )

    def require_room(self, planned: Planned) -> None:
        """Refuse a job that the plan has no room for.

        Raises:
            QuotaExceeded: Storage does not suffice.
            GenerationLimitReached: The month's items do not.
        """
        if not planned.quota.within_limit:
            raise self.storage_refusal(planned)
        if planned.items_left is not None and planned.spec.target_count > planned.items_left:
            raise GenerationLimitReached(planned.spec.target_count, planned.plan.monthly_items)

    def storage_refusal(self, planned: Planned) -> QuotaExceeded:
        """The refusal of a job that needs more storage than there is."""
        used = planned.usage.used_bytes + planned.usage.pending_bytes
        wanted = planned.estimate.storage_bytes
        suggestion = upgrade_suggestion(planned.plan, self._plans.values(), used + wanted)
        return QuotaExceeded(
            planned.plan, used_bytes=used, wanted_bytes=wanted, suggestion=suggestion
        )

    def _provider_of(self, model: str) -> str:
        """The provider whose kind writes with models of such names."""
        kind = next(kind for start, kind in _KIND_BY_MODEL if model.startswith(start))
        named = (name for name, rules in self._providers.items() if rules.kind == kind)
        return next(named, kind)

    async def _check(self, tenant_id: str, wish: GenerateBatch, provider: str) -> None:
        faults = template_faults(TEMPLATE_FIELD, wish.generation_params)
        faults += await self._provider_faults(tenant_id, provider)
        faults += _preview_faults(wish) + self._mode_faults(wish, provider)
        if faults:
            raise Invalid(faults)

    async def _provider_faults(self, tenant_id: str, provider: str) -> list[FieldError]:
        rules = self._providers.get(provider)
        if rules is None:
            known = ", ".join(sorted(self._providers))
            return [FieldError("generation_params.provider", f"is none; there are {known}")]
        if not rules.needs_key:
            return []
        kept = {one.provider for one in await self._jobs.credentials(tenant_id)}
        hint = f"needs a key: PUT /api/credentials/{provider}, or use the model 'template'"
        return [] if provider in kept else [FieldError("generation_params.model", hint)]

    def _mode_faults(self, wish: GenerateBatch, provider: str) -> list[FieldError]:
        rules = self._providers.get(provider)
        if wish.mode is Mode.DIRECT or rules is None or rules.kind in BATCH_KINDS:
            return []
        able = sorted(name for name, one in self._providers.items() if one.kind in BATCH_KINDS)
        hint = f"is 'batch', which {provider} does not know; {', '.join(able)} do"
        return [FieldError("mode", hint)]

    async def _weigh(
        self, tenant_id: str, spec: JobSpec, *, told: Estimate, cost: Decimal | None
    ) -> Planned:
        now = self.now()
        usage = await self._library.usage(tenant_id)
        plan, period = plan_named(usage.plan, self._plans), now.date().replace(day=1)
        pieces = await self._jobs.pieces(tenant_id, period)
        monthly = plan.monthly_items
        left = None if monthly is None else max(0, monthly - pieces.used - pieces.pending)
        return Planned(
            spec=spec,
            estimate=told,
            completion=now + timedelta(seconds=told.duration_s),
            item_cost_usd=cost,
            quota=_quota_check(usage, plan, told.storage_bytes),
            usage=usage,
            plan=plan,
            items_left=left,
            period=period,
        )


def _spec_of(wish: GenerateBatch, voice: Voice, *, provider: str, model: str) -> JobSpec:
    return JobSpec(
        content_type=wish.content_type,
        target_count=wish.target_count,
        platforms=wish.platforms,
        params=wish.generation_params,
        adherence=wish.brand_adherence,
        voice=voice,
        provider=provider,
        model=model,
        campaign_space_id=wish.campaign_space_id,
        mode=wish.mode,
    )


def _preview_faults(wish: GenerateBatch) -> list[FieldError]:
    if wish.preview is not None and wish.preview >= wish.target_count:
        return [FieldError("preview", "must be smaller than target_count")]
    return []


def _longest_of(spec: JobSpec) -> Prompt:
    """The prompt that decides how much is held.

    Raises:
        Invalid: It is longer than any may be.
    """
    number, characters = longest_prompt(spec)
    if characters > PROMPT_CHARACTERS_MAX:
        told = f"makes a prompt of {characters:,} characters; {PROMPT_CHARACTERS_MAX:,} are allowed"
        raise Invalid([FieldError(TEMPLATE_FIELD, told)])
    return prompt_for(spec, number)


def _quota_check(usage: Usage, plan: Plan, wanted: int) -> QuotaCheck:
    held = usage.used_bytes + usage.pending_bytes
    limit = plan.storage_bytes
    return QuotaCheck(
        current_usage_gb=round(held / GB, GB_DECIMALS),
        limit_gb=None if limit is None else limit / GB,
        projected_usage_gb=round((held + wanted) / GB, GB_DECIMALS),
        within_limit=fits(held + wanted, limit),
    )
