"""What BigQuery's refusals become."""

import pytest
from google.api_core import exceptions

from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.refusals import refusals
from engarde_daemon.domain.errors import Denied, EngardeError, Unavailable

PLACE = Place(project="acme-prod", dataset="archive")


def refused(status: int, reason: str = "") -> EngardeError:
    """What a call ends in that BigQuery refuses."""
    errors = [{"reason": reason, "message": "secret"}] if reason else []
    with pytest.raises(EngardeError) as raised, refusals(PLACE, needs="bigquery.jobs.create"):
        raise exceptions.from_http_status(status, "secret", errors=errors)
    assert "secret" not in raised.value.detail
    return raised.value


@pytest.mark.parametrize("status", [400, 500])
def test_a_query_that_would_cost_too_much_is_told_as_that(status: int):
    """Google's client makes a 500 of reasons that it does not know, as of that of a job."""
    error = refused(status, "bytesBilledLimitExceeded")

    assert isinstance(error, Unavailable)
    assert "maximum_bytes_billed" in error.detail


def test_a_project_without_billing_is_no_missing_permission():
    """No role would help."""
    error = refused(403, "billingNotEnabled")

    assert isinstance(error, Unavailable)
    assert "Billing is not enabled" in error.detail


@pytest.mark.parametrize("status", [407, 408, 413, 431])
def test_an_answer_that_nobody_foresaw_is_waited_out(status: int):
    """It is a proxy's, most likely, and no reason for whoever asked to die."""
    error = refused(status)

    assert isinstance(error, Unavailable)
    assert str(status) in error.detail


def test_a_permission_that_is_missing_is_still_named():
    """By the call, where Google names none."""
    error = refused(403, "accessDenied")

    assert isinstance(error, Denied)
    assert "bigquery.jobs.create" in error.detail


@pytest.mark.parametrize("status", [409, 412])
def test_conflicts_pass_to_those_who_know_what_they_mean(status: int):
    """A job that is there already has stored its rows."""
    with pytest.raises(exceptions.GoogleAPICallError), refusals(PLACE, needs="x"):
        raise exceptions.from_http_status(status, "there already")
