"""A small newsroom for the tests of the pages: real stories through the real steps, one of each thing a page can show.

Two fires in one street of which the linker is not sure, a crash whose headline holds a script, a name that is released
on the second day, and a line that is no JSON and lies in quarantine.
"""

import json
from pathlib import Path

from blotter import steps
from blotter.config import Settings, load_settings

SCRIPT = "<script>document.title='stolen'</script>"
FIRE = (
    "Two killed in Alder Street fire",
    "HALFORD, Ohio, March 2, 2026 - Two people were killed on Monday when a fire tore through a house on Alder Street "
    "in Halford, Ohio, the Halford Fire Department said. The names of the victims were not released.",
)
SHOT = (
    "Woman shot dead on East Cook Street",
    "SPRINGFIELD, Ill., March 2, 2026 - A 34-year-old woman was shot and killed on Monday in the 1200 block of East "
    "Cook Street in Springfield, Illinois, police said. Her name was not released.",
)
NAMED = (
    "Woman killed on East Cook Street is identified",
    "SPRINGFIELD, Ill., March 3, 2026 - Dana Whitlock, 34, was the woman who was shot and killed on Monday in the 1200 "
    "block of East Cook Street in Springfield, Illinois, the coroner said.",
)
SECOND_FIRE = (
    "Second house burned on Alder Street",
    "HALFORD, Ohio, March 4, 2026 - A man was hurt on Tuesday in a fire on Alder Street in Halford, Ohio, the Halford "
    "Fire Department said.",
)
CRASH = (
    f"Cyclist struck on Route 9 {SCRIPT}",
    f"OSTRAND, Iowa, March 2, 2026 - A cyclist was killed on Monday when a pickup truck struck her on Route 9 in "
    f"Ostrand, Iowa, police said {SCRIPT}. The driver, Peter Nowak, 44, was arrested.",
)


def make_settings(home: Path, **more: str) -> Settings:
    """Settings of a pipeline whose everything lies in one folder."""
    return load_settings(environ=make_environment(home, **more))


def make_environment(home: Path, **more: str) -> dict[str, str]:
    """The same as variables, as a server reads them."""
    variables = {
        **{name: str(home / name) for name in ("warehouse", "archive", "staging", "inbox", "sources")},
        "state": str(home / "state.db"),
        "alerts_log": str(home / "alerts.jsonl"),
        "clock": "2026-03-05T12:00:00+00:00",
        "drops__settle_s": "0",
        **more,
    }
    return {f"BLOTTER_{name.upper()}": value for name, value in variables.items()}


def fill_newsroom(home: Path) -> Settings:
    """Publish three days of the stories; the linker is told to be sure of nothing on the third."""
    (home / "sources").mkdir(parents=True)
    (home / "sources" / "halford.yaml").write_text(
        "id: halford\nname: Halford <Bee>\nfeeds:\n  - url: http://halford.example/feed.xml\n", encoding="utf-8"
    )
    publish_day(home, 2, fire=FIRE, crash=CRASH, shot=SHOT)
    publish_day(home, 3, named=NAMED)
    (home / "inbox" / "halford").mkdir(parents=True, exist_ok=True)
    (home / "inbox" / "halford" / "lines.jsonl").write_text('{"title": "<b>broken</b>", ', encoding="utf-8")
    return publish_day(home, 4, link__accept="0.999", link__reject="0.01", second=SECOND_FIRE)


def publish_day(home: Path, day: int, **given: str | tuple[str, str]) -> Settings:
    """Drop stories, given as name to (title, text), and publish them on a day of March 2026; returns its settings."""
    more = {name: value for name, value in given.items() if isinstance(value, str)}
    settings = make_settings(home, clock=f"2026-03-0{day}T23:59:59+00:00", **more)
    folder = Path(settings.inbox) / "halford"
    folder.mkdir(parents=True, exist_ok=True)
    for name, story in given.items():
        if isinstance(story, tuple):
            meta = {"url": f"https://halford.example/{name}", "published": f"2026-03-0{day}", "title": story[0]}
            (folder / f"{name}.txt").write_text(f"{story[0]}\n\n{story[1]}\n", encoding="utf-8")
            (folder / f"{name}.meta.json").write_text(json.dumps(meta), encoding="utf-8")
    steps.ingest_drops(settings, run_id=f"day-{day}")
    build(settings, f"day-{day}")
    return settings


def build(settings: Settings, run_id: str) -> None:
    """Read what is pending and publish it."""
    for slice_id in steps.plan_slices(settings):
        steps.read_slice(settings, slice_id)
    steps.publish_batch(settings, run_id=run_id)
