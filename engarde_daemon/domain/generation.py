"""Batch generation: what a job is, how its pieces move, and what its end is called.

Owns the states of an item. `received` means that the provider's answer is committed: from there on
an item is stored or fails for a reason a marketer understands, but its answer is never thrown away.

    pending -> calling -> received -> stored
       ^          |           |
       +----------+-----------+------> failed, cancelled
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from engarde_daemon.domain.content import ContentType
from engarde_daemon.domain.errors import Exhausted
from engarde_daemon.domain.voice import Voice

ITEMS_MAX = 10_000
TOKENS_MAX = 32_000

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Topic = Annotated[str, Meta(min_length=1, max_length=500)]
Platforms = Annotated[list[Name], Meta(max_length=20)]
Topics = Annotated[list[Topic], Meta(max_length=1000)]
Variables = Annotated[
    dict[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}(?!\n)$")], Topic], Meta(max_length=50)
]


class JobStatus(StrEnum):
    """Where a job stands, in the platform's words."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ItemState(StrEnum):
    """Where one piece of a job stands."""

    PENDING = "pending"
    CALLING = "calling"
    RECEIVED = "received"
    STORED = "stored"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Strictness(StrEnum):
    """How strictly a brand's rules are enforced on what was generated."""

    RELAXED = "RELAXED"
    MODERATE = "MODERATE"
    STRICT = "STRICT"


class Mode(StrEnum):
    """How a job has its items asked for."""

    DIRECT = "direct"
    """Each by a call of its own, at once."""
    BATCH = "batch"
    """Together, by the provider's own batches: at half the price, and within a day."""


REWRITES_MAX = {Strictness.RELAXED: 0, Strictness.MODERATE: 1, Strictness.STRICT: 2}
"""How often a piece that breaks the rules is written anew before it is flagged or fails."""


class Adherence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which of a brand's rules hold for a job."""

    level: Strictness = Strictness.MODERATE
    enforce_brand_voice: bool = True
    check_compliance: bool = True


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to generate; topics take turns, so that item n is about topic n modulo their number."""

    model: Name | None = None
    provider: Name | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Meta(ge=16, le=TOKENS_MAX)] = 1024
    prompt_template: Annotated[str, Meta(min_length=1, max_length=20_000)]
    topics: Topics = []
    variables: Variables = {}
    tone: Annotated[str, Meta(max_length=200)] = ""
    include_hashtags: bool = False
    include_emojis: bool = False


class JobSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that every call of a job follows from; it never changes."""

    content_type: ContentType
    target_count: int
    platforms: list[str]
    params: Params
    adherence: Adherence
    voice: Voice
    provider: str
    model: str
    campaign_space_id: str | None = None
    mode: Mode = Mode.DIRECT

    @property
    def wants_hashtags(self) -> bool:
        """Whether pieces need hashtags; a voice that allows none has the last word."""
        bound = self.voice.hashtags.max if self.adherence.enforce_brand_voice else 1
        return self.params.include_hashtags and bound > 0

    def topic_of(self, number: int) -> str:
        """What the item of this number, counted from 1, is about."""
        topics = self.params.topics
        return topics[(number - 1) % len(topics)] if topics else ""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens that a provider counted for one call."""

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """What a model wrote, taken apart."""

    title: str
    body: str
    hashtags: list[str] = []


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that a piece breaks, in words for whoever reads the piece."""

    rule: str
    message: str


class Failure(StrEnum):
    """Why an item could not be made, as a client may branch on it."""

    REFUSED = "refused"
    EMPTY = "empty"
    CUT_OFF = "cut_off"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    ADHERENCE = "adherence"
    STORAGE_FULL = "storage_full"
    COST_LIMIT = "cost_limit"
    NOT_STORED = "not_stored"


class KeyVerdict(StrEnum):
    """What a provider says to a key."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Trial(msgspec.Struct, frozen=True):
    """What came of trying a key, in words for whoever gave it."""

    verdict: KeyVerdict
    message: str


class GenerationLimitReached(Exhausted):
    """The plan allows no more generated pieces this month."""

    type_ = "generation_limit_exceeded"
    title = "Monthly generation limit exceeded"
    error: str
    monthly_items: int | None

    def __init__(self, wanted: int, limit: int | None) -> None:
        super().__init__(
            f"{wanted} items are more than your plan of {limit} a month has left. "
            "Ask for fewer, or upgrade the plan."
        )
        self.error = self.type_
        self.monthly_items = limit


def percent(progress: int, target: int) -> int:
    """How much of a job is done, in whole percent; 100 only when it is all."""
    return progress * 100 // target


def cancelled_message(progress: int, target: int) -> str:
    """What a client reads after a cancel, as the platform's architecture writes it."""
    return f"Job cancelled. {progress} out of {target} items were generated before cancellation."


def metadata_of(spec: JobSpec, *, job_id: str, number: int, model: str) -> dict[str, Any]:
    """What a stored piece tells of how it was made."""
    about: dict[str, Any] = {
        "model": model,
        "provider": spec.provider,
        "generation_id": job_id,
        "item": number,
        "topic": spec.topic_of(number),
        "temperature": spec.params.temperature,
        "max_tokens": spec.params.max_tokens,
    }
    return {"ai_generation": {name: value for name, value in about.items() if value is not None}}


def tags_of(hashtags: Sequence[str]) -> tuple[str, ...]:
    """Hashtags as content keeps them: with their sign, each once, in their order."""
    signed = (f"#{tag.lstrip('#')}" for tag in hashtags if tag.strip("# "))
    return tuple(dict.fromkeys(signed))
