"""What a version changed, in words and as a patch that leads from one state to the next."""

import random
from datetime import UTC, datetime
from typing import Any

import jsonpatch
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.domain import history
from engarde_daemon.domain.content import Change, ChangeType, Details, Item
from engarde_daemon.domain.history import Snapshot

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ARTICLE = [f"Line {number} has a few words of its own." for number in range(2_000)]

NUMBERS = st.integers(-3, 3) | st.booleans() | st.sampled_from([0.0, 1.0, 1.5])
NAMES = st.sampled_from(["a", "b", "", "a/b", "~", "~1", "0", "-", "ü"])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | NUMBERS | st.text(alphabet="ab~/ü", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
LONG = st.builds(lambda inner: {"long": "x" * history.NESTED_BYTES_MIN, "inner": inner}, JSON)
LABELS = st.lists(st.sampled_from(["x", "y", "z"]), max_size=4)
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "tags": LABELS,
        "platforms": LABELS,
        "metadata": JSON | LONG,
        "published_at": st.text(),
    },
)
SNAPSHOTS = st.builds(
    Snapshot,
    title=st.sampled_from(["One", "Two", "Drei ü"]),
    content_body=st.lists(st.sampled_from(["", "a", "b b", "c"]), max_size=8).map("\n".join)
    | st.text(max_size=20),
    content_type=st.sampled_from(["post", "ad"]),
    status=st.sampled_from(["draft", "published"]),
    metadata=METADATA,
)


def state(body: str = "A body", **fields: Any) -> Snapshot:
    """A version's state."""
    plain = {"title": "A title", "content_type": "post", "status": "draft", "metadata": {}}
    return Snapshot(content_body=body, **{**plain, **fields})


def change(kind: ChangeType, summary: str = "as PostgreSQL has it") -> Change:
    """What a version did."""
    return Change(type=kind, by="someone", summary=summary)


def edited(**lines: str) -> str:
    """The article with some lines replaced, named like `line_7`."""
    other = {int(name.removeprefix("line_")): text for name, text in lines.items()}
    return "\n".join(other.get(place, line) for place, line in enumerate(ARTICLE))


class TestPatches:
    """RFC 6902 over the state, with the body as a list of lines."""

    @given(before=SNAPSHOTS, after=SNAPSHOTS)
    def test_a_patch_leads_from_one_state_to_the_other(self, before: Snapshot, after: Snapshot):
        """To the letter: 1, 1.0 and true are three values of JSON, though equal to Python."""
        patched = history.apply(before, history.diff(before, after))

        assert _canonical(patched) == _canonical(after)

    @given(state=SNAPSHOTS)
    def test_nothing_changed_is_no_operation(self, state: Snapshot):
        """A version may repeat the one before it."""
        assert history.diff(state, state) == []

    @given(before=SNAPSHOTS, after=SNAPSHOTS)
    def test_a_patch_survives_its_way_through_json(self, before: Snapshot, after: Snapshot):
        """Clients get it as text."""
        patch = msgspec.json.decode(msgspec.json.encode(history.diff(before, after)))

        assert _canonical(history.apply(before, patch)) == _canonical(after)

    def test_repeated_lines_between_two_changes_stay(self):
        """They stand twice, so nothing says which became which; those in their place are kept."""
        rule = "-" * 200
        patch = history.diff(state(f"a\n{rule}\n{rule}\nb"), state(f"c\n{rule}\n{rule}\nd"))

        assert [operation["path"] for operation in patch] == ["/content_body/3", "/content_body/0"]

    def test_a_patch_of_another_state_is_refused(self):
        """It does not silently do something else."""
        patch = history.diff(state("a\nb\nc"), state("a\nb"))

        with pytest.raises(jsonpatch.JsonPatchException):
            history.apply(state("a"), patch)

    def test_one_word_in_a_long_article_is_one_small_operation(self):
        """Neither the line's neighbours nor the whole body are repeated."""
        patch = history.diff(state(edited()), state(edited(line_1000="Line 1000 is new.")))

        assert patch == [
            {"op": "replace", "path": "/content_body/1000", "value": "Line 1000 is new."}
        ]

    def test_words_far_apart_are_small_operations_too(self):
        """The lines between them are left alone."""
        after = edited(line_3="first", line_1990="last")

        patch = history.diff(state(edited()), state(after))

        assert [operation["path"] for operation in patch] == [
            "/content_body/1990",
            "/content_body/3",
        ]

    def test_a_new_line_moves_no_other(self):
        """Inserting is adding, not replacing all that follows."""
        patch = history.diff(state("a\nb\nc"), state("a\nnew\nb\nc"))

        assert patch == [{"op": "add", "path": "/content_body/1", "value": "new"}]

    def test_a_rewritten_body_is_replaced_as_a_whole(self):
        """A patch takes little more room than what it leads to."""
        after = "\n".join(f"Wholly new {number}" for number in range(2_000))

        patch = history.diff(state(edited()), state(after))

        assert patch == [{"op": "replace", "path": "/content_body", "value": after.split("\n")}]

    def test_only_what_changed_in_the_metadata_is_named(self):
        """One value deep in a large object is one operation; a short list is replaced."""
        large = {"briefing": "A long text. " * 20, "audience": {"ages": [18, 25]}}
        other = {**large, "audience": {"ages": [18, 25, 30]}}
        before = state(metadata={"tags": ["a", "b"], "media": ["m"], "metadata": large})
        after = state(metadata={"tags": ["a", "c"], "media": ["m"], "metadata": other})

        assert history.diff(before, after) == [
            {"op": "add", "path": "/metadata/metadata/audience/ages/2", "value": 30},
            {"op": "replace", "path": "/metadata/tags", "value": ["a", "c"]},
        ]

    @pytest.mark.timeout(120)
    def test_large_metadata_is_replaced_without_being_searched(self):
        """Looking for moves in it would take longer than anyone waits."""
        numbers = list(range(300_000))
        shuffled = random.Random(1).sample(numbers, len(numbers))
        before, after = (state(metadata={"metadata": {"n": n}}) for n in (numbers, shuffled))

        (operation,) = history.diff(before, after)

        assert (operation["op"], operation["path"]) == ("replace", "/metadata/metadata")


class TestSummaries:
    """A change in words."""

    @pytest.mark.parametrize(
        ("before", "after", "told"),
        [
            (state(), state(), "nothing changed"),
            (state(), state(title="Other"), "title changed"),
            (state(), state(content_type="ad", status="archived"), "type, status changed"),
            (state("a b c"), state("a b c d e"), "body +2 words"),
            (state("a b c"), state("c"), "body −2 words"),
            (state("a b c"), state("a x c"), "body +1 −1 words"),
            (state("a b c"), state("c b a"), "body rearranged"),
            (state("a b"), state("a  b"), "body rearranged"),
            (
                state("one two", metadata={"tags": ["a"]}),
                state("one", title="Other", metadata={"tags": [], "mentions": ["@b"]}),
                "title, mentions, tags changed; body −1 words",
            ),
            (state(metadata={"n": 1}), state(metadata={"n": True}), "n changed"),
            (state(metadata={}), state(metadata={"deleted_at": "now"}), "nothing changed"),
        ],
    )
    def test_it_names_fields_and_counts_words(self, before: Snapshot, after: Snapshot, told: str):
        """In the order of the fields, then what is in the metadata, then the body."""
        assert history.summary(before, after) == told

    @given(before=SNAPSHOTS, after=SNAPSHOTS)
    def test_the_words_are_those_of_the_whole_bodies(self, before: Snapshot, after: Snapshot):
        """Although only what lies between the first and the last change is counted."""
        grown = len(after.content_body.split()) - len(before.content_body.split())
        told = history.summary(before, after).partition("body ")[2].split(" ")
        counts = [int(part.replace("−", "-")) for part in told if part[:1] in "+−" and part[1:]]

        assert sum(counts) == grown


class TestComparisons:
    """What is written of a version: it depends on what the version did."""

    @pytest.mark.parametrize(
        ("kind", "before", "summary", "operations"),
        [
            (ChangeType.CREATE, None, "as PostgreSQL has it", 0),
            (ChangeType.UPDATE, None, "as PostgreSQL has it", None),
            (ChangeType.UPDATE, state(title="Old"), "title changed", 1),
            (ChangeType.PUBLISH, state(status="x"), "status changed", 1),
            (ChangeType.DELETE, state(title="Old"), "as PostgreSQL has it", 1),
            (ChangeType.RESTORE, state(), "as PostgreSQL has it", 0),
            (ChangeType.RESTORE, state(title="Old"), "as PostgreSQL has it: title changed", 1),
        ],
    )
    def test_it_tells_what_happened_and_what_changed(
        self, kind: ChangeType, before: Snapshot | None, summary: str, operations: int | None
    ):
        """A patch that cannot be known is none, which is not the same as an empty one."""
        compared = history.compare(change(kind), before, state())

        assert compared.summary == summary
        assert (None if compared.patch is None else len(compared.patch)) == operations


class TestSnapshots:
    """The state of a version, as ZeroDB keeps it."""

    def test_everything_of_the_item_that_can_change_is_in_it(self):
        """Times as text, lists as lists, and nothing that is empty."""
        item = Item(
            id="i",
            tenant_id="t",
            brand_id="b",
            user_id="u",
            campaign_space_id="c",
            title="A title",
            content_type="post",
            status="scheduled",
            details=Details(tags=("x", "y"), metadata={"deep": {"n": [1]}}),
            preview="",
            size_bytes=6,
            sha256="",
            scheduled_at=NOON,
            created_at=NOON,
            updated_at=NOON,
            deleted_at=NOON,
        )

        assert history.snapshot_of(item, "A body") == Snapshot(
            title="A title",
            content_body="A body",
            content_type="post",
            status="scheduled",
            metadata={
                "tags": ["x", "y"],
                "metadata": {"deep": {"n": [1]}},
                "campaign_space_id": "c",
                "scheduled_at": "2026-06-01T12:00:00+00:00",
                "deleted_at": "2026-06-01T12:00:00+00:00",
            },
        )

    def test_what_an_item_does_not_have_is_left_out(self):
        """An item without a campaign, a schedule or tags has no empty names for them."""
        item = Item(
            id="i",
            tenant_id="t",
            brand_id="b",
            user_id="u",
            title="A title",
            content_type="post",
            status="draft",
            details=Details(),
            preview="",
            size_bytes=6,
            sha256="",
            created_at=NOON,
            updated_at=NOON,
        )

        assert history.snapshot_of(item, "A body").metadata == {}

    @given(state=SNAPSHOTS)
    def test_it_is_the_same_after_a_way_through_the_store(self, state: Snapshot):
        """What is compared with a stored one is compared like with like."""
        stored = msgspec.json.decode(msgspec.json.encode(state), type=Snapshot)

        assert history.diff(stored, state) == []


def _canonical(snapshot: Snapshot) -> bytes:
    """One text for each state, whatever the order of its names."""
    return msgspec.json.encode(snapshot, order="deterministic")
