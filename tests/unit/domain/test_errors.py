"""What a refusal tells its caller, and how well the daemon knows itself."""

import msgspec
import pytest

from engarde_daemon.domain.errors import (
    Conflict,
    EngardeError,
    Exhausted,
    FieldError,
    Invalid,
    KeyReused,
    NotConfirmed,
    NotInTrash,
    QuotaExceeded,
    RefusedTogether,
    Rejected,
    Retryable,
    StagingFull,
    Unavailable,
    VersionConflict,
)
from engarde_daemon.domain.plans import GB, Plan
from engarde_daemon.domain.vitals import Vitals

FREE = Plan(name="free", storage_bytes=GB, retention_days=30, monthly_items=100)


def test_invalid_names_every_field():
    """In words and as members of the problem."""
    error = Invalid([FieldError("title", "is required"), FieldError("tags[0]", "is no text")])

    assert str(error) == "title: is required; tags[0]: is no text"
    assert [fault.field for fault in error.members()["errors"]] == ["title", "tags[0]"]


def test_a_full_plan_says_what_it_holds_and_what_would_help():
    """As the platform's clients know it."""
    error = QuotaExceeded(FREE, used_bytes=GB // 2, wanted_bytes=GB, suggestion="Upgrade")

    assert error.members() == {
        "error": "storage_quota_exceeded",
        "plan_tier": "free",
        "current_usage_gb": 0.5,
        "limit_gb": 1.0,
        "upgrade_suggestion": "Upgrade",
    }


def test_what_was_refused_together_is_told_in_order():
    """How many, and the first one's reason in words; each under its place."""
    late = Invalid([FieldError("title", "is required")])
    refused = RefusedTogether({7: KeyReused(), 2: late})

    assert list(refused.refusals) == [2, 7]
    assert "2 of the items" in refused.detail
    assert refused.detail.endswith("title: is required")


def test_a_filter_that_matches_otherwise_says_how_many():
    """So that the caller can look and confirm."""
    assert NotConfirmed(3).members() == {"matching": 3}


def test_a_plan_without_limit_has_none_to_show():
    """Another bound may still refuse."""
    unlimited = msgspec.structs.replace(FREE, storage_bytes=None)

    assert QuotaExceeded(unlimited, used_bytes=0, wanted_bytes=1, suggestion=None).limit_gb is None


@pytest.mark.parametrize(
    ("error", "branch", "status"),
    [
        (VersionConflict(3), Conflict, 412),
        (KeyReused(), Conflict, 422),
        (NotInTrash(), Conflict, 409),
        (Invalid([]), Rejected, 422),
        (Unavailable("away"), Retryable, 503),
        (StagingFull(), Retryable, 503),
        (QuotaExceeded(FREE, used_bytes=0, wanted_bytes=0, suggestion=None), Exhausted, 403),
    ],
)
def test_each_error_hangs_on_the_branch_of_its_reaction(
    error: EngardeError, branch: type[EngardeError], status: int
):
    """Callers catch branches, clients read the status."""
    assert isinstance(error, branch)
    assert error.status == status


def test_a_retryable_error_says_when():
    """In seconds."""
    assert Unavailable("away", after_s=7.0).after_s == 7.0


@pytest.mark.parametrize(
    ("vitals", "reason"),
    [
        (Vitals(), "not asked yet"),
        (Vitals(postgres="PostgreSQL does not answer"), "PostgreSQL does not answer"),
        (Vitals(postgres=None, staged_bytes=10, staging_limit_bytes=10), "staging limit"),
    ],
)
def test_what_keeps_a_write_from_being_promised_has_a_reason(vitals: Vitals, reason: str):
    """An operator reads it in `/readyz`."""
    assert reason in str(vitals.unready)


def test_a_daemon_with_a_database_and_room_is_ready():
    """Nothing else matters to the promise of a write."""
    assert Vitals(postgres=None, staged_bytes=9, staging_limit_bytes=10).unready is None
