"""Jobs as tests want them."""

from typing import Any

from engarde_daemon.domain.content import ContentType
from engarde_daemon.domain.generation import Adherence, JobSpec, Params, Piece, Strictness
from engarde_daemon.domain.voice import Voice


def params(template: str = "About {topic}", **other: Any) -> Params:
    """How to generate; about tea where nothing else is said."""
    return Params(prompt_template=template, **{"topics": ["tea"], **other})


def spec(
    *,
    voice: Voice | None = None,
    level: Strictness = Strictness.MODERATE,
    content_type: ContentType = ContentType.POST,
    **other: Any,
) -> JobSpec:
    """A job of five posts."""
    given: dict[str, Any] = {
        "target_count": 5,
        "platforms": [],
        "params": params(),
        "adherence": Adherence(level=level),
        "provider": "template",
        "model": "template",
        **other,
    }
    return JobSpec(content_type=content_type, voice=voice or Voice(), **given)


def piece(body: str = "A cup of tea.", **other: Any) -> Piece:
    """What a model wrote."""
    return Piece(title="Tea", body=body, **other)
