"""How long a text may be where it is going to be published.

Each figure is the platform's own, counted in characters; the smallest of a job's platforms holds.
https://help.x.com/en/using-x/types-of-posts, https://help.instagram.com (captions),
https://www.linkedin.com/help/linkedin/answer/a528176, https://support.google.com/google-ads/answer/1704389
"""

from collections.abc import Iterable, Mapping

from engarde_daemon.domain.content import ContentType

TWEET_CHARACTERS = 280

_OF_PLATFORM: Mapping[str, int] = {
    "twitter": TWEET_CHARACTERS,
    "x": TWEET_CHARACTERS,
    "instagram": 2200,
    "tiktok": 2200,
    "linkedin": 3000,
    "pinterest": 500,
    "threads": 500,
    "facebook": 63_206,
    "youtube": 5000,
}


def length_limit(content_type: ContentType, platforms: Iterable[str]) -> int | None:
    """How many characters a piece of this type may have on all of these platforms."""
    limits = [_OF_PLATFORM[name] for p in platforms if (name := p.casefold()) in _OF_PLATFORM]
    if content_type is ContentType.TWEET:
        limits.append(TWEET_CHARACTERS)
    if content_type in {ContentType.ARTICLE, ContentType.DOCUMENT}:
        return None
    return min(limits, default=None)
