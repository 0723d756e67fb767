"""What may be asked of the recovery actor. Whether the asker may, was found out at the edge."""

from typing import TypeAlias

from engarde_daemon.core import Message, Request
from engarde_daemon.domain.recovery import Job, JobKind, Wish


class OrderJob(Request[Job], frozen=True, kw_only=True):
    """Begin a job, unless one of its kind is not finished.

    The same `promised_id` once more asks for the job that was made then.
    """

    kind: JobKind
    wish: Wish
    ordered_by: str
    promised_id: str | None = None


class CancelJob(Request[Job], frozen=True):
    """Let a job end where it stands; one that has ended stays as it is."""

    job_id: str


class FindJob(Request[Job], frozen=True):
    """How far a job has come."""

    job_id: str


class ListJobs(Request[list[Job]], frozen=True):
    """The newest jobs."""

    most: int = 50


class Wake(Message, frozen=True):
    """See whether there is a job that nobody works at."""


RecoveryMessage: TypeAlias = OrderJob | CancelJob | FindJob | ListJobs | Wake
