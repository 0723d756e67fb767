"""One round of the courier: everything that is due for one webhook, from envelope to receipt."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus

import anyio
import msgspec
import structlog

from actors.courier.tally import Tally
from engarde_daemon.domain.errors import Corrupt
from engarde_daemon.domain.webhooks import Schedule, headers_of
from engarde_daemon.ports.secrets import SecretBox
from engarde_daemon.ports.webhooks import (
    Answer,
    DeliveryState,
    Letter,
    Mailman,
    Outcome,
    Post,
    PostOffice,
)

_LOG = structlog.get_logger("engarde.webhooks")
_NEVER_SENT_MS = 0
_FORGOTTEN = "The event is past its retention ([events] retention_days)."
_WORN_OUT = "It was tried as often as it may be."


class RoundRules(msgspec.Struct, frozen=True, kw_only=True):
    """When a letter is tried again, and how long a webhook may fail before it is switched off."""

    schedule: Schedule
    patience_s: float


class Rounds:
    """Signs, sends and settles."""

    def __init__(
        self,
        *,
        office: PostOffice,
        mailman: Mailman,
        box: SecretBox,
        rules: RoundRules,
        tally: Tally,
        random: Callable[[], float],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._office = office
        self._mailman = mailman
        self._box = box
        self._rules = rules
        self._tally = tally
        self._random = random
        self._now = now

    async def carry(self, post: Post) -> None:
        """Send all letters at once and write down what came of them.

        Raises:
            Unavailable: PostgreSQL does not answer; the lease will run out.
        """
        answers = await self._answers(post)
        outcomes = [self._judge(letter, answers[letter.number]) for letter in post.letters]
        gone = any(answer.status == HTTPStatus.GONE for answer in answers.values())
        settled = await self._office.settle(
            post, outcomes, gone=gone, patience_s=self._rules.patience_s
        )
        for outcome in outcomes:
            self._tally.note(outcome.state, in_time=settled)
        if not settled:
            _LOG.info("webhook served too slowly for its lease", webhook_id=post.key.webhook_id)

    async def close(self) -> None:
        """Close the connections."""
        await self._mailman.close()

    async def _answers(self, post: Post) -> dict[int, Answer]:
        try:
            secrets = self._secrets(post)
        except Corrupt as error:
            unsigned = Answer(status=None, error=error.detail, took_ms=_NEVER_SENT_MS)
            return {letter.number: unsigned for letter in post.letters}
        answers: dict[int, Answer] = {}

        async def send(letter: Letter) -> None:
            answers[letter.number] = await self._send(post.url, letter, secrets)

        async with anyio.create_task_group() as letters:
            for letter in post.letters:
                letters.start_soon(send, letter)
        return answers

    def _secrets(self, post: Post) -> list[str]:
        """The present secret, and an older one if that opens still."""
        present, *older = post.secrets
        secrets = [self._box.open(present, post.key.purpose)]
        for sealed in older:
            with suppress(Corrupt):
                secrets.append(self._box.open(sealed, post.key.purpose))
        return secrets

    async def _send(self, url: str, letter: Letter, secrets: Sequence[str]) -> Answer:
        if letter.event is None:
            return Answer(status=None, error=_FORGOTTEN, took_ms=_NEVER_SENT_MS)
        if letter.attempt > self._rules.schedule.attempts_max:
            return Answer(status=None, error=_WORN_OUT, took_ms=_NEVER_SENT_MS)
        body = letter.event.document()
        headers = headers_of(letter.event_id, body, at=int(self._now()), secrets=secrets)
        return await self._mailman.carry(url, headers, body)

    def _judge(self, letter: Letter, answer: Answer) -> Outcome:
        state, retry_s = DeliveryState.DELIVERED, None
        if not _is_success(answer):
            retry_s = self._rules.schedule.delay_s(letter.attempt, self._random())
            hopeless = letter.event is None or retry_s is None
            state = DeliveryState.FAILED if hopeless else DeliveryState.PENDING
        return Outcome(
            number=letter.number,
            state=state,
            retry_s=retry_s,
            response_status=answer.status,
            response_excerpt=answer.excerpt,
            error=answer.error,
            took_ms=answer.took_ms,
        )


def _is_success(answer: Answer) -> bool:
    return answer.status is not None and HTTPStatus(200) <= answer.status < HTTPStatus(300)
