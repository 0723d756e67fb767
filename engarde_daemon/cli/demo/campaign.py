"""What the demonstration's tenant writes: the spring of a bicycle shop."""

import io
from typing import Any

from PIL import Image, ImageDraw

VOICE: dict[str, Any] = {
    "tone": "Warm and plain. We ride every day and talk like it; no superlatives.",
    "banned_phrases": ["best in the world", "guaranteed"],
    "hashtags": {"required": ["#NorthlightCycles"]},
}
SPACES: list[dict[str, str]] = [
    {"campaign_name": "Spring tune-up 2027", "platform": "meta"},
    {"campaign_name": "Commuter e-bikes", "platform": "google_ads"},
]
POSTS: list[dict[str, Any]] = [
    {
        "title": "The chain that sounded like a blender",
        "body": "Nadia rode in on Tuesday with a chain that sounded like a blender. Twelve minutes, a "
        "drop of oil and a new quick link later she was on her way to work. Bring yours: tune-ups "
        "are 39 € until the end of April.",
        "type": "post",
        "platforms": ["instagram", "facebook"],
        "tags": ["tune-up", "workshop"],
    },
    {
        "title": "Five checks before the first long ride",
        "body": "Tyres: press them, then pump them. Brakes: pull until the lever meets your finger, not "
        "the bar. Chain: wipe, oil, wipe again. Bolts: stem, seat post, cranks. Lights: yes, in "
        "spring too; the tunnel by the canal does not know what month it is.",
        "type": "article",
        "tags": ["tune-up", "how-to"],
    },
    {
        "title": "E-bike test weekend",
        "body": "Saturday and Sunday, ten to six, twelve e-bikes and one hill. Helmets are here, coffee "
        "as well. Book a half hour online or just come by.",
        "type": "ad",
        "platforms": ["facebook"],
        "tags": ["e-bike", "event"],
    },
    {
        "title": "What a commute costs",
        "body": "Our colleague Tom kept the receipts for a year: 214 € for the e-bike's electricity and "
        "service, 1,960 € for the car he sold in May. The article has every line of his table.",
        "type": "article",
        "tags": ["e-bike", "commuting"],
    },
    {
        "title": "Rain is a jacket problem",
        "body": "It rained on 71 mornings last year. On 68 of them it was over within half an hour. "
        "Mudguards, a jacket that breathes, and a dry pair of socks in the office drawer.",
        "type": "story",
        "platforms": ["instagram"],
        "tags": ["commuting"],
    },
    {
        "title": "Old locks, half price",
        "body": "Trade in any old lock and take 50 % off a folding one.",
        "type": "tweet",
        "tags": ["offer"],
    },
]
DURING_THE_OUTAGE: list[dict[str, Any]] = [
    {
        "title": f"Opening hours, {day}",
        "body": f"On {day} we open at {hour} and close when the last bike is done.",
        "tags": ["hours"],
    }
    for day, hour in (("Monday", 10), ("Tuesday", 8), ("Wednesday", 8), ("Thursday", 12))
]
GENERATION: dict[str, Any] = {
    "job_type": "social_media_posts",
    "content_type": "post",
    "target_count": 9,
    "platforms": ["instagram"],
    "generation_params": {
        "model": "template",
        "prompt_template": "Write a short post about {topic}",
        "topics": ["test rides", "tune-ups in April", "cycling in the rain"],
        "include_hashtags": True,
    },
}


def picture() -> bytes:
    """A poster: a hill, a sun, and the road up."""
    image = Image.new("RGB", (1080, 1080), (238, 228, 210))
    drawing = ImageDraw.Draw(image)
    drawing.ellipse((690, 130, 910, 350), fill=(235, 160, 60))
    drawing.polygon(
        [(0, 900), (620, 360), (1080, 760), (1080, 1080), (0, 1080)], fill=(70, 110, 90)
    )
    drawing.line([(120, 1060), (420, 800), (380, 680), (620, 380)], fill=(245, 240, 230), width=26)
    written = io.BytesIO()
    image.save(written, "JPEG", quality=88)
    return written.getvalue()
