"""What clients know of the content they wrote, from nothing but the answers they got.

Owns the difference between three things: a write that was acknowledged must be there, one that was
refused must not be, and one whose answer never came may be there or not.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple

from engarde_daemon.domain.content import sha256_of
from engarde_daemon.domain.records import RecordKey


class State(NamedTuple):
    """How an item may stand."""

    version: int
    sha256: str
    alive: bool = True


Step = Callable[[State], State]


class Story:
    """One item that one client at a time writes, so that its states can be told exactly."""

    def __init__(self, content_id: str, sha256: str) -> None:
        self.content_id = content_id
        self.possible = {State(1, sha256)}
        self.acknowledged = {1: sha256}

    def answered(self, step: Step, version: int) -> None:
        """A write was acknowledged as this version; what cannot lead there, was not."""
        after = {step(state) for state in self.possible if state.alive}
        self.possible = {state for state in after if state.version == version}
        assert self.possible, f"{self.content_id} answers version {version}, not one of {after}"
        self._note_certainty()

    def deleted(self) -> None:
        """A deletion was acknowledged, whose answer names no version."""
        self.possible = {
            state._replace(version=state.version + 1, alive=False)
            for state in self.possible
            if state.alive
        }
        self._note_certainty()

    def unanswered(self, step: Step) -> None:
        """A write may have happened."""
        self.possible |= {step(state) for state in self.possible if state.alive}

    def missing(self) -> None:
        """The item is gone, which only a deletion without an answer explains."""
        self.possible = {state for state in self.possible if not state.alive}
        assert self.possible, f"{self.content_id} is gone, and nobody deleted it"
        self._note_certainty()

    @property
    def may_live(self) -> bool:
        """Whether there may be something left to write to."""
        return any(state.alive for state in self.possible)

    def _note_certainty(self) -> None:
        if len(self.possible) == 1:
            (state,) = self.possible
            self.acknowledged[state.version] = state.sha256


class SharedStory:
    """One item that all clients write at once: only their answers say in which order."""

    def __init__(self, content_id: str, sha256: str) -> None:
        self.content_id = content_id
        self.acknowledged = {1: sha256}
        self.unanswered: set[str] = set()

    def answered(self, version: int, sha256: str) -> None:
        """A write was acknowledged as this version, as no other was."""
        assert version not in self.acknowledged, f"version {version} was acknowledged twice"
        self.acknowledged[version] = sha256

    def explains(self, version: int, sha256: str) -> bool:
        """Whether the item may stand like this."""
        if version < max(self.acknowledged):
            return False
        return self.acknowledged.get(version, sha256) == sha256 and (
            version in self.acknowledged or sha256 in self.unanswered
        )


class Witness:
    """Everything the clients of one test know."""

    def __init__(self, tenant_id: str) -> None:
        self.tenant_id = tenant_id
        self.stories: dict[str, Story] = {}
        self.shared: dict[str, SharedStory] = {}
        self.titles: dict[str, str] = {}
        self.maybe: set[str] = set()

    def created(self, content_id: str, title: str, body: str) -> Story:
        """A creation was acknowledged."""
        story = Story(content_id, sha256_of(body))
        self.stories[content_id] = story
        self.titles[content_id] = title
        return story

    def shared_created(self, content_id: str, title: str, body: str) -> SharedStory:
        """The creation of an item for all was acknowledged."""
        story = SharedStory(content_id, sha256_of(body))
        self.shared[content_id] = story
        self.titles[content_id] = title
        return story

    def may_have_created(self, title: str) -> None:
        """The answer to a creation never came."""
        self.maybe.add(title)

    def acknowledged(self) -> Iterator[RecordKey]:
        """Every version that must be in every store, by its key."""
        stories = chain[Story | SharedStory](self.stories.values(), self.shared.values())
        for story in stories:
            for version, sha256 in story.acknowledged.items():
                yield RecordKey(self.tenant_id, story.content_id, version, sha256)
