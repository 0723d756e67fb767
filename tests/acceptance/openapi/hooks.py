"""What schemathesis has to be told of this API, and a check of our own beside its checks."""

import re
from typing import Any

import msgspec
import schemathesis
from hypothesis import strategies

from tests.support.pictures import noise, picture

# Rules that no JSON Schema can tell. A request that keeps to the document is refused for one of
# these or not at all: whatever else refuses it is a fault of the document.
_RULES = (
    "is not a cursor of this API; start without one",
    "belongs to a list of another order",
    "numbers reach the first 100,000 items; go on with `cursor`",
    "by relevance needs `search`",
    "'semantic' needs `search`, sorts by likeness and leaves the trash alone",
    r"'semantic' is not switched on here: .+",
    r"is none of the plans of this daemon: .+",
    "is not an id of this stream; start without one",
    "is no campaign space of yours",
    "is no media file of yours",
    "is no content of yours",
    r"There is no such content\.",  # of one figure among several; alone it is a 404
    "must lie between .+ and tomorrow",
    "must be the beginning of an hour of that date somewhere",
    "is required where there is money",
    "may take .+ bytes as JSON",
    "lies before date_from",
    "at most .+ days can be asked at once",
    "must hold Base64",
    "must begin with one of md5, sha1, sha256",
    "must not be 0: the file is empty",
    "must come before the file",  # whose parts a schema cannot put in order
    r"There is no such brand\.",  # of one item in a bulk create; alone it is a 404
    "give either `ids` or a `filter`",
    "is required: how many items the filter matches",
    "name at least one tag to add or to remove",
    "is required when the status is scheduled",
    "lies in the past",
    "lies outside of the years 1 to 9999 in UTC",
    "must be one of brand_ids",
    "holds a banned phrase",
    "is above hashtags.max",
    "names more hashtags than hashtags.max allows",
    "is banned as well",
    "must be 0 or left out where emojis are not allowed",
    "would give the item more than 100 tags",
    r"is none; there are .+",  # a provider
    "needs a key: PUT /api/credentials/.+",
    r"is no template: .+",
    r"names the unknown variable .+",
    r"is needed by \{topic\}",
    "must be smaller than target_count",
    "cannot be kept: nobody knows what .+",
    "is required: the campaign space names no campaign",
    "must not be before start",
    r"needs (an external_id|its date|its hour) .+",  # of a row in an export, as are the next
    r"holds no .+",
    r"may name 20 files, .+",
    r"(breaks off, or )?is no JSON object",
    r"Expected `int( \| null)?`, got `float`",  # to a JSON Schema 286.0 is an integer
)
_RULE = re.compile("|".join(_RULES))
_WHOLE_REQUESTS = frozenset({"urn:engarde:problem:idempotency_key_reused"})
# What a URL may be is longer than a pattern. And schemathesis 4.32 takes the quotes off an entity
# tag that it got from an answer before it sends it back.
_FIELDS = frozenset({"url", "base_url", "If-Match"})


# Of all bytes hardly any are a file, and those that are none are refused (415).
schemathesis.openapi.format(
    "binary", strategies.sampled_from([picture(), picture("JPEG"), noise(100), b"words"])
)


@schemathesis.serializer("application/x-ndjson")
def lines_of_json(ctx: Any, value: Any) -> bytes:
    """Each item on a line of its own; whatever is no list is one line."""
    items = value if isinstance(value, list) else [value]
    return b"".join(msgspec.json.encode(item) + b"\n" for item in items)


@schemathesis.serializer("application/offset+octet-stream")
def plain_bytes(ctx: Any, value: Any) -> bytes:
    """A piece of a file as it is; what is no text is sent as JSON."""
    data = getattr(value, "data", value)
    return data if isinstance(data, bytes) else msgspec.json.encode(data)


@schemathesis.check
def only_known_rules_refuse_valid_data(ctx: Any, response: Any, case: Any) -> None:
    """A 422 to what the document allows names rules that no schema can tell."""
    if response.status_code != 422 or not case.meta.generation.mode.is_positive:
        return
    problem = response.json()
    if problem["type"] in _WHOLE_REQUESTS:
        return
    unknown = [
        error
        for error in problem["errors"]
        if error["field"] not in _FIELDS and not _RULE.fullmatch(error["message"])
    ]
    assert not unknown, f"the document does not tell of {unknown}"
