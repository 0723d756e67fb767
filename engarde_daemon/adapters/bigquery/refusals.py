"""What Google's libraries raise becomes one of the daemon's own errors here.

Owns the rule that no exception of theirs leaves the adapter for a condition that an operator can do
something about, and that none of their texts is passed on: they are told apart by code and reason.
Conflicts pass through to those who know what they mean.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import grpc
import requests
from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions

from engarde_daemon.adapters.bigquery.denials import denied, permission_in
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.domain.errors import ArchiveUnavailable, Denied, EngardeError, Unavailable

# Reasons of BigQuery's answers: https://cloud.google.com/bigquery/docs/error-messages
_TOO_MUCH = frozenset({"rateLimitExceeded", "quotaExceeded", "jobRateLimitExceeded"})
_TOO_COSTLY = "bytesBilledLimitExceeded"
_UNPAID = "billingNotEnabled"
_LONG_PAUSE_S = 60.0


@contextmanager
def refusals(place: Place, *, needs: str) -> Iterator[None]:
    """Translate what the libraries raise during a call that needs this permission.

    Raises:
        Denied: Credentials or the permission are missing.
        Unavailable: BigQuery does not answer, or will answer later.
    """
    try:
        yield
    except (exceptions.GoogleAPICallError, grpc.aio.AioRpcError) as error:
        known = error if isinstance(error, exceptions.GoogleAPICallError) else _of_grpc(error)
        raise _translated(known, place, needs) or known from error
    except auth_exceptions.TransportError as error:
        raise unreachable(place) from error
    except auth_exceptions.GoogleAuthError as error:
        raise Denied(
            "Google gives the daemon no credentials: name the service account's key file in "
            "GOOGLE_APPLICATION_CREDENTIALS, or run where a service account is attached."
        ) from error
    except (exceptions.RetryError, requests.RequestException, OSError) as error:
        raise unreachable(place) from error  # TimeoutError is an OSError


def unreachable(place: Place) -> Unavailable:
    """What is said when there is no answer."""
    where = place.endpoint or "bigquery.googleapis.com"
    return ArchiveUnavailable(
        f"BigQuery ({where}, {place.dataset_id}) does not answer.", after_s=5.0
    )


def reason_of(error: exceptions.GoogleAPICallError) -> str:
    """The word by which BigQuery tells refusals of one status apart; empty where it gives none."""
    # Behind REST these are BigQuery's own words, behind gRPC exceptions.
    told = [each for each in error.errors if isinstance(each, Mapping)]
    return next((str(each["reason"]) for each in told if "reason" in each), "")


def _of_grpc(error: grpc.aio.AioRpcError) -> exceptions.GoogleAPICallError:
    known: exceptions.GoogleAPICallError = exceptions.from_grpc_status(
        error.code(), error.details() or ""
    )
    return known


def _translated(
    error: exceptions.GoogleAPICallError, place: Place, needs: str
) -> EngardeError | None:
    refused = isinstance(error, exceptions.Forbidden | exceptions.Unauthorized)
    if refused and reason_of(error) not in {*_TOO_MUCH, _UNPAID}:
        permission = permission_in(error.message or "", otherwise=needs)
        return denied([permission], project=place.project, dataset=place.dataset)
    if sentence := _sentence_on(error, place):
        return ArchiveUnavailable(sentence, after_s=_LONG_PAUSE_S)
    if isinstance(error, exceptions.ServerError | exceptions.Aborted | exceptions.Cancelled):
        return unreachable(place)
    if isinstance(error, exceptions.Conflict | exceptions.PreconditionFailed):
        return None
    strange = f"BigQuery ({place.dataset_id}), or what stands before it, answers with {error.code}."
    return ArchiveUnavailable(strange, after_s=_LONG_PAUSE_S)


def _sentence_on(error: exceptions.GoogleAPICallError, place: Place) -> str | None:
    """What has to change before the same request can work."""
    reason = reason_of(error)
    if reason in _TOO_MUCH or isinstance(error, exceptions.TooManyRequests):
        return f"A quota of BigQuery project {place.project} is used up for now."
    if reason == _TOO_COSTLY:
        return (
            "The archive's answer would cost more than [bigquery] maximum_bytes_billed allows: "
            "raise it, or ask for a shorter span of time."
        )
    if reason == _UNPAID:
        return f"Billing is not enabled for BigQuery project {place.project}: enable it there."
    if isinstance(error, exceptions.NotFound):
        return (
            f"BigQuery has no {place.dataset_id}, or not all of its tables: "
            "they are made when the daemon starts."
        )
    if isinstance(error, exceptions.BadRequest):
        return (
            f"BigQuery refuses a request ({reason[:64] or 'invalid'}): "
            "check [bigquery] project, dataset and location."
        )
    return None
