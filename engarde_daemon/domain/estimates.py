"""What a job will take, said before it starts: bytes, tokens, money, time.

Owns the rule that a price nobody knows is None and never 0.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from engarde_daemon.domain.content import ContentType
from engarde_daemon.domain.generation import REWRITES_MAX, JobSpec, Mode
from engarde_daemon.domain.prompts import Prompt

MARGIN = 1.2
"""By how much the true number of tokens may pass the heuristic's."""

CORRECTION_TOKENS = 800
"""What a rewrite says beside its prompt and its draft: 600 characters of faults, and how to go on."""

_ITEM_BYTES: Mapping[ContentType, int] = {
    ContentType.ARTICLE: 16_384,
    ContentType.DOCUMENT: 16_384,
}
_POST_BYTES = 4096
_CALL_S = 8.0
_TEMPLATE_S = 0.02
_DAY_S = 86_400.0
_MILLION = 1_000_000

# Up to which code point a character weighs how many tokens; fitted to the o200k encoding.
_WEIGHTS = ((0x80, 0.25), (0x250, 0.75), (0x2E80, 0.45), (0xA000, 0.85), (0xAC00, 0.45))
_HANGUL_END, _FULL_WIDTH, _PLANE_END = 0xD7B0, 0xFF00, 0x10000


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars for a million tokens."""

    input_usd: Decimal
    output_usd: Decimal


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole job will take at most; None where nobody knows."""

    storage_bytes: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    duration_s: float


def estimate(spec: JobSpec, prompt: Prompt, price: Price | None, *, concurrency: int) -> Estimate:
    """The upper bound of a job whose prompts are about as long as this one."""
    count, is_free = spec.target_count, price is not None and not price.output_usd
    input_tokens = tokens_of(prompt.system) + tokens_of(prompt.user)
    each = item_cost(price, input_tokens, spec.params.max_tokens)
    return Estimate(
        storage_bytes=count * item_bytes(spec.content_type),
        input_tokens=count * input_tokens,
        output_tokens=count * spec.params.max_tokens,
        cost_usd=None if each is None else each * count,
        duration_s=_duration_s(
            spec, each_s=_TEMPLATE_S if is_free else _CALL_S, at_once=concurrency
        ),
    )


def _duration_s(spec: JobSpec, *, each_s: float, at_once: int) -> float:
    if spec.mode is Mode.BATCH:
        return _DAY_S
    rounds = -(-spec.target_count // max(1, at_once))
    return rounds * each_s


def item_bytes(content_type: ContentType) -> int:
    """The room that is held for one piece."""
    return _ITEM_BYTES.get(content_type, _POST_BYTES)


def item_cost(price: Price | None, input_tokens: int, output_tokens: int) -> Decimal | None:
    """What one call costs, if its price is known."""
    if price is None:
        return None
    return (price.input_usd * input_tokens + price.output_usd * output_tokens) / _MILLION


def dearest_call(spec: JobSpec, prompt: Prompt, price: Price | None) -> Decimal | None:
    """The most that one call for an item may cost; a rewrite shows its draft and what is wrong."""
    tokens = tokens_of(prompt.system) + tokens_of(prompt.user)
    if REWRITES_MAX[spec.adherence.level]:
        tokens += spec.params.max_tokens + CORRECTION_TOKENS
    return item_cost(price, tokens, spec.params.max_tokens)


def tokens_of(text: str) -> int:
    """About how many tokens a text has, rather too many than too few."""
    return int(sum(map(_weight, text)) * MARGIN) + 1


def _weight(character: str) -> float:
    point = ord(character)
    for end, weight in _WEIGHTS:
        if point < end:
            return weight
    wide = point < _HANGUL_END or _FULL_WIDTH <= point < _PLANE_END
    return 0.85 if wide else 0.45
