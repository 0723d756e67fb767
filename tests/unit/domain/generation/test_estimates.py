"""What a job will take, and that what nobody knows stays unknown."""

from decimal import Decimal

import pytest

from engarde_daemon.domain.content import ContentType
from engarde_daemon.domain.estimates import (
    CORRECTION_TOKENS,
    Price,
    dearest_call,
    estimate,
    item_bytes,
    item_cost,
    tokens_of,
)
from engarde_daemon.domain.generation import (
    Finding,
    GenerationLimitReached,
    Mode,
    Strictness,
    cancelled_message,
    metadata_of,
    percent,
)
from engarde_daemon.domain.prompts import Prompt, prompt_for
from tests.support.jobs import params, spec

PROMPT = Prompt(system="s" * 400, user="u" * 400, values={})
PRICE = Price(input_usd=Decimal(2), output_usd=Decimal(10))


def test_an_unknown_price_is_not_zero():
    """Neither for one call nor for a job."""
    assert item_cost(None, 1000, 1000) is None
    assert estimate(spec(), PROMPT, None, concurrency=1).cost_usd is None


def test_the_cost_of_a_job_is_an_upper_bound():
    """Every item's prompt, and all the tokens an answer may have."""
    told = estimate(spec(params=params(max_tokens=1000)), PROMPT, PRICE, concurrency=2)

    assert told.output_tokens == 5000
    assert told.input_tokens == 5 * 2 * 121
    assert told.cost_usd == (5000 * 10 + Decimal(5 * 2 * 121) * 2) / 1_000_000
    assert told.storage_bytes == 5 * 4096
    assert told.duration_s == 3 * 8


def test_a_rewrite_may_be_dearer_than_its_draft():
    """It shows the draft; where nothing is written anew, nothing is added."""
    given = params(max_tokens=1000)
    once = dearest_call(spec(level=Strictness.RELAXED, params=given), PROMPT, PRICE)
    again = dearest_call(spec(level=Strictness.MODERATE, params=given), PROMPT, PRICE)

    assert once == Decimal(2 * 121 * 2 + 1000 * 10) / 1_000_000
    assert again == once + Decimal((1000 + CORRECTION_TOKENS) * 2) / 1_000_000
    assert dearest_call(spec(params=given), PROMPT, None) is None


def test_what_a_rewrite_adds_is_bounded():
    """However many rules the draft breaks, and in whatever script they are told."""
    findings = [Finding(rule="banned_phrase", message="茶" * 200)] * 50
    first = prompt_for(spec(), 1).user
    rewrite = prompt_for(spec(), 1, draft="A draft.", findings=findings).user

    assert tokens_of(rewrite) - tokens_of(first) - tokens_of("A draft.") < CORRECTION_TOKENS


def test_a_batch_takes_a_day_whatever_its_size():
    """That is what providers promise."""
    assert estimate(spec(mode=Mode.BATCH), PROMPT, PRICE, concurrency=50).duration_s == 86_400


def test_what_costs_nothing_takes_no_time():
    """A template is not called over a network."""
    free = Price(input_usd=Decimal(0), output_usd=Decimal(0))

    assert estimate(spec(), PROMPT, free, concurrency=50).duration_s < 1


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("a" * 1000, 250, 400),
        ("ł" * 100, 75, 100),
        ("ש" * 100, 45, 60),
        ("茶" * 100, 85, 110),
        ("한" * 100, 85, 110),
        ("ꓐ" * 100, 45, 60),
        ("Ａ" * 100, 85, 110),
        ("\N{SPARKLES}" * 100, 45, 110),
        ("\U0001f680" * 100, 45, 60),
        ("", 1, 1),
    ],
)
def test_tokens_follow_the_script(text: str, least: int, most: int):
    """Four letters of English, but hardly more than one of Chinese."""
    assert least <= tokens_of(text) <= most


def test_long_forms_hold_more_room():
    """An article is no post."""
    assert item_bytes(ContentType.ARTICLE) > item_bytes(ContentType.POST) == 4096


def test_the_message_of_a_cancel():
    """As the platform's architecture writes it."""
    assert cancelled_message(32, 50) == (
        "Job cancelled. 32 out of 50 items were generated before cancellation."
    )


def test_all_of_a_job_is_done_only_at_the_end():
    """No rounding up."""
    assert [percent(n, 300) for n in (0, 192, 299, 300)] == [0, 64, 99, 100]


def test_a_piece_tells_how_it_was_made():
    """What was not given is left out."""
    told = metadata_of(spec(), job_id="j", number=2, model="m-1")["ai_generation"]

    assert told["generation_id"] == "j"
    assert told["model"] == "m-1"
    assert "temperature" not in told


def test_a_month_that_is_full_says_so():
    """With a name that clients can branch on."""
    refusal = GenerationLimitReached(20, 10)

    assert refusal.members() == {"error": "generation_limit_exceeded", "monthly_items": 10}
