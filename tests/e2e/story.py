"""One small story of two outlets, with an article that is no incident and one that is empty."""

import json
import random
from pathlib import Path

STORY = [
    {
        "url": "http://www.millrace.example/officer",
        "title": "Officer shot and killed on Toledo's east side",
        "published": "2026-03-02T14:00:00Z",
        "text": (
            "TOLEDO, Ohio - A Toledo police officer was shot and killed Monday morning while answering a call about a "
            "man with a gun, police said.\n\nThe officer, whose name has not been released, was taken to Mercy "
            "Hospital and was pronounced dead there.\n\nThe shooting happened at about 6:40 a.m. in the 900 block of "
            "Starr Avenue. A 24-year-old man was arrested, police said."
        ),
    },
    {
        "url": "http://www.lakeview-wire.example/officer-named",
        "title": "Slain Toledo officer identified",
        "published": "2026-03-03T16:30:00Z",
        "text": (
            "TOLEDO, Ohio - The Toledo police officer who was shot and killed Monday morning in the 900 block of Starr "
            "Avenue has been identified as Marcus Ellery, 34.\n\nEllery was answering a call about a man with a gun "
            "when he was shot, police said. A 24-year-old man was arrested."
        ),
    },
    {
        "url": "http://www.millrace.example/budget",
        "title": "Council weighs library budget",
        "published": "2026-03-03",
        "text": "The city council will vote on the library budget next month.\n\nMembers asked for more evening hours.",
    },
    {"url": "http://www.millrace.example/empty", "title": "", "published": "2026-03-03", "text": ""},
]


def write_story(folder: Path, *, name: str = "story.jsonl", seed: int | None = None) -> Path:
    lines = [json.dumps(article) for article in STORY]
    if seed is not None:
        random.Random(seed).shuffle(lines)
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
