"""What is asked of the database about generation: jobs, the claims on their items, credentials."""

from engarde_daemon.ports.generation.credentials import (
    CredentialBench,
    CredentialKeeper,
    CredentialRecord,
)
from engarde_daemon.ports.generation.jobs import (
    ItemRecord,
    Job,
    JobBook,
    JobDraft,
    JobKey,
    JobLibrary,
    Made,
    Pieces,
    Retried,
)
from engarde_daemon.ports.generation.work import (
    Claim,
    Step,
    WorkBench,
    Written,
    failed,
    given_back,
    kept_back,
    received,
    set_aside,
    stored,
    to_rewrite,
)

__all__ = [
    "Claim",
    "CredentialBench",
    "CredentialKeeper",
    "CredentialRecord",
    "ItemRecord",
    "Job",
    "JobBook",
    "JobDraft",
    "JobKey",
    "JobLibrary",
    "Made",
    "Pieces",
    "Retried",
    "Step",
    "WorkBench",
    "Written",
    "failed",
    "given_back",
    "kept_back",
    "received",
    "set_aside",
    "stored",
    "to_rewrite",
]
