"""Clients who write at once while the daemon is being harmed, and who remember every answer.

Owns the mix: creations (some under an Idempotency-Key, repeated until they are answered), patches
of body or title alone, deletions, and writes to a few items that everyone writes to. The order of
operations of each client follows from the seed.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import httpx

from engarde_daemon.domain.content import sha256_of
from tests.support.running import Daemon
from tests.support.witness import SharedStory, State, Story, Witness

CLIENTS = 16
SHARED_ITEMS = 3
PAUSE_S = 0.02
_WORDS = ("spring", "launch", "offer", "größe", "🌱", "story", "reach", "brand", "click", "now")


class NoAnswer(Exception):
    """The answer never came, or said that nothing is known: the write may have happened."""


class Crowd:
    """All clients of one test against one daemon."""

    def __init__(self, daemon: Daemon, seed: str, *, clients: int = CLIENTS) -> None:
        self.daemon = daemon
        self.seed = seed
        self._clients = clients
        self.witness = Witness(daemon.credentials.tenant_id)
        self.statuses: Counter[str] = Counter()
        self._stopped = False
        self._acknowledged = 0
        self._progress = anyio.Event()

    async def work(self) -> None:
        """Let every client write until `stop`."""
        async with (
            self.daemon.client(connections=self._clients) as http,
            anyio.create_task_group() as all_,
        ):
            shared = await self._share_items(http)
            for number in range(self._clients):
                client = Client(self, http, random.Random(f"{self.seed}/{number}"), f"c{number}")
                all_.start_soon(client.work, shared)

    def stop(self) -> None:
        """Let each client finish the write it is at."""
        self._stopped = True

    @property
    def stopped(self) -> bool:
        """Whether nobody shall begin another write."""
        return self._stopped

    async def acknowledges(self, more: int, *, within_s: float = 60.0) -> None:
        """Wait until this many more writes were acknowledged."""
        wanted = self._acknowledged + more
        with anyio.fail_after(within_s):
            while self._acknowledged < wanted:
                await self._progress.wait()

    async def send(self, http: httpx.AsyncClient, method: str, path: str, **given: Any) -> Any:
        """One request, whose answer is either clear or was none.

        Raises:
            NoAnswer: Whether it happened is not known.
        """
        try:
            answer = await http.request(method, path, **given)
        except httpx.TransportError as error:
            self.statuses[type(error).__name__] += 1
            await self.daemon.serving.wait()
            raise NoAnswer from error
        self.statuses[str(answer.status_code)] += 1
        if answer.status_code == 503:
            assert answer.headers["Retry-After"]
            await anyio.sleep(PAUSE_S)  # much sooner than Retry-After asks: the harm goes on
            raise NoAnswer
        if answer.is_success:
            self._note_progress()
        return answer

    def _note_progress(self) -> None:
        self._acknowledged += 1
        self._progress.set()
        self._progress = anyio.Event()

    async def _share_items(self, http: httpx.AsyncClient) -> list[SharedStory]:
        stories = []
        for number in range(SHARED_ITEMS):
            title, body = f"{self.seed} shared {number}", f"shared {number}"
            made = await http.post("/api/content", json={"title": title, "body": body})
            stories.append(self.witness.shared_created(made.json()["id"], title, body))
        return stories


class Client:
    """One client, who does one thing at a time."""

    def __init__(
        self, crowd: Crowd, http: httpx.AsyncClient, chance: random.Random, name: str
    ) -> None:
        self._crowd = crowd
        self._witness = crowd.witness
        self._http = http
        self._chance = chance
        self._name = name
        self._own: list[Story] = []
        self._serial = 0

    async def work(self, shared: list[SharedStory]) -> None:
        """Write until the crowd is told to stop."""
        kinds: list[Callable[[], Any]] = [
            self._create,
            self._create_once,
            lambda: self._patch(self._pick(), with_body=True),
            lambda: self._patch(self._pick(), with_body=False),
            lambda: self._delete(self._pick()),
            lambda: self._patch_shared(self._chance.choice(shared)),
        ]
        while not self._crowd.stopped:
            kind = self._chance.choices(kinds, (30, 15, 25, 10, 8, 12))[0]
            await kind()

    async def _create(self) -> None:
        title, body = self._text()
        try:
            made = await self._send("POST", "/api/content", json={"title": title, "body": body})
        except NoAnswer:
            self._witness.may_have_created(title)
            return
        self._note_created(made, title, body)

    async def _create_once(self) -> None:
        title, body = self._text()
        while not self._crowd.stopped:
            try:
                made = await self._send(
                    "POST",
                    "/api/content",
                    json={"title": title, "body": body},
                    headers={"Idempotency-Key": title.replace(" ", "-")},
                )
            except NoAnswer:
                continue
            self._note_created(made, title, body)
            return
        self._witness.may_have_created(title)

    async def _patch(self, story: Story | None, *, with_body: bool) -> None:
        if story is None:
            return
        title, body = self._text()
        sha256 = sha256_of(body)

        def step(state: State) -> State:
            return State(state.version + 1, sha256 if with_body else state.sha256)

        change = {"body": body} if with_body else {"tags": [title[:50]]}
        try:
            answer = await self._send("PATCH", f"/api/content/{story.content_id}", json=change)
        except NoAnswer:
            story.unanswered(step)
            return
        if answer.status_code == 404:
            story.missing()
            return
        assert answer.status_code == 200, answer.text
        story.answered(step, answer.json()["version"])

    async def _delete(self, story: Story | None) -> None:
        if story is None:
            return
        try:
            answer = await self._send("DELETE", f"/api/content/{story.content_id}")
        except NoAnswer:
            story.unanswered(lambda state: State(state.version + 1, state.sha256, alive=False))
            return
        if answer.status_code == 404:
            story.missing()
            return
        assert answer.status_code == 200, answer.text
        story.deleted()

    async def _patch_shared(self, story: SharedStory) -> None:
        _, body = self._text()
        try:
            answer = await self._send(
                "PATCH", f"/api/content/{story.content_id}", json={"body": body}
            )
        except NoAnswer:
            story.unanswered.add(sha256_of(body))
            return
        assert answer.status_code == 200, answer.text
        story.answered(answer.json()["version"], sha256_of(body))

    async def _send(self, method: str, path: str, **given: Any) -> httpx.Response:
        answer: httpx.Response = await self._crowd.send(self._http, method, path, **given)
        return answer

    def _note_created(self, made: httpx.Response, title: str, body: str) -> None:
        assert made.status_code == 201, made.text
        self._own.append(self._witness.created(made.json()["id"], title, body))

    def _pick(self) -> Story | None:
        living = [story for story in self._own[-20:] if story.may_live]
        return self._chance.choice(living) if living else None

    def _text(self) -> tuple[str, str]:
        """A title and a body that come only once, the body of very different lengths."""
        self._serial += 1
        title = f"{self._crowd.seed} {self._name} {self._serial}"
        words = self._chance.choices(_WORDS, k=self._chance.choice((0, 5, 50, 500, 5000)))
        return title, f"{title} {' '.join(words)}"
