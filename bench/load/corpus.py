"""Marketing text: deterministic, about as compressible as the real thing, never the same twice.

A text is written once and kept with a gap of fixed width; each request fills the gap with its
serial number. That makes every body unique for the price of one join of byte strings.
"""

import random

SERIAL_DIGITS = 16

_OPENINGS = (
    "Meet", "Discover", "Introducing", "Say hello to", "Fall in love with", "Get ready for",
    "Why wait for", "Nothing beats", "Imagine", "This week only:", "Back in stock:",
)  # fmt: skip
_SUBJECTS = (
    "the summer collection", "our lightest running shoe", "a café-grade espresso at home",
    "the new loyalty programme", "handmade ceramics", "the carbon-neutral delivery option",
    "a planner that keeps up with you", "our crème brûlée kit", "the weekend escape bundle",
    "a smarter garden", "the studio headphones", "organic skincare from Provence",
)  # fmt: skip
_CLAIMS = (
    "designed with 1,200 of our customers", "made to last ten years, not ten months",
    "loved by teams in 40 countries", "tested on the toughest mornings",
    "free to return within 60 days", "priced so that nobody has to choose",
    "grown within 80 km of our kitchen", "ready to ship before noon",
    "rated 4.8 out of 5 by people who paid for it", "built from recycled aluminium",
)  # fmt: skip
_CALLS = (
    "Shop now", "Book your seat", "Tell us what you think", "Swipe to see the colours",
    "Save 15% until Sunday", "Tag a friend who needs this", "Link in bio", "Reserve yours today",
)  # fmt: skip
_HASHTAGS = (
    "#SummerLaunch", "#NewIn", "#MadeToLast", "#SlowMornings", "#ShopLocal", "#BehindTheScenes",
)  # fmt: skip


def _paragraph(rng: random.Random) -> str:
    sentences = [
        f"{rng.choice(_OPENINGS)} {rng.choice(_SUBJECTS)} — {rng.choice(_CLAIMS)}, "
        f"{rng.choice(_CLAIMS)} and from €{rng.randint(9, 499)}.{rng.randint(0, 99):02d}."
        for _ in range(rng.randint(2, 4))
    ]
    return " ".join([*sentences, f"{rng.choice(_CALLS)}! {rng.choice(_HASHTAGS)}\n\n"])


def marketing_text(rng: random.Random, size_bytes: int) -> str:
    """Write a text of exactly `size_bytes` bytes in UTF-8."""
    text = b""
    while len(text) < size_bytes:
        text += _paragraph(rng).encode()
    whole = text[:size_bytes].decode(errors="ignore")
    return whole + "." * (size_bytes - len(whole.encode()))


def serial(number: int) -> bytes:
    """The fixed-width digits that make one request's body unique."""
    return b"%0*d" % (SERIAL_DIGITS, number)
