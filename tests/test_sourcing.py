"""`blotter sources`: a site's feed becomes a file to review, lists are imported, and sources tell how they do."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from blotter import steps
from blotter.cli import app
from blotter.commands.common import out
from blotter.config import Settings, load_settings
from blotter.errors import InputRejected, SettingsError
from blotter.sources import load_sources
from blotter.sourcing import add_source, import_opml, read_sources_health, resume_feeds, try_sources
from blotter.stores import Stores
from ingest.site import Site, serve_site

HOST = "www.courier.example"
FEED = f"http://{HOST}/news/feed"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as serving:
        serving.pages[f"{HOST}/"] = (
            b'<html><head><link rel="alternate" type="application/rss+xml" href="/news/feed">'
            b'<link rel="alternate" type="application/rss+xml" href="/comments/feed"></head>'
        )
        for path in ("/news/feed", "/comments/feed"):
            serving.put_feed(HOST, path, [{"title": "Dock Street", "link": f"http://{HOST}/Dock", "guid": path}])
        serving.put_story(HOST, "/Dock", "Dock Street")
        yield serving


@pytest.fixture
def make_settings(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    def make(clock: str = "2024-03-10T12:00:00+00:00") -> Settings:
        given = {
            **{name: str(tmp_path / name) for name in ("warehouse", "archive", "staging", "inbox", "sources")},
            "state": str(tmp_path / "state.db"),
            "clock": clock,
            "fetch__resolve": f"*.example=127.0.0.1:{site.port}",
            "fetch__host_spacing_s": "0",
        }
        for name, value in given.items():
            monkeypatch.setenv(f"BLOTTER_{name.upper()}", value)
        return load_settings()

    return make


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings()


def run(*words: str) -> tuple[int, str]:
    out.width = 240  # as on a wide terminal, however wide ours is
    ended = CliRunner().invoke(app, ["sources", *words])
    return ended.exit_code, ended.output if isinstance(ended.exception, SystemExit | None) else str(ended.exception)


def test_a_site_becomes_a_source_that_is_read(settings: Settings) -> None:
    added = add_source(settings, f"http://{HOST}/")
    assert (added.source_id, added.urls) == ("courier", (FEED,))
    text = added.path.read_text(encoding="utf-8")
    assert text.startswith("# Written by") and "Review it" in text
    source = load_sources(settings.sources)["courier"]
    assert (source.homepage, source.feeds[0].url) == (f"http://{HOST}/", FEED)
    assert steps.ingest_feeds(settings, run_id="r")["n_documents"] == 1


def test_nothing_is_overwritten_and_no_feed_is_read_twice(settings: Settings) -> None:
    path = add_source(settings, f"http://{HOST}/").path
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="a feed of courier"):
        add_source(settings, f"http://{HOST}/")
    with pytest.raises(SettingsError, match="an id that no other file has"):
        add_source(settings, f"http://{HOST}/comments/feed", source_id="courier")
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert add_source(settings, f"http://{HOST}/comments/feed").source_id == "courier-2"


@pytest.mark.parametrize("source_id", ["../up", "a/b", "", "UP", "processed"])
def test_an_id_that_cannot_be_is_refused(settings: Settings, source_id: str) -> None:
    if source_id:
        with pytest.raises((SettingsError, OSError)):
            add_source(settings, f"http://{HOST}/", source_id=source_id)
    assert not list(Path(settings.sources).parent.glob("*.yaml"))
    assert not Path(settings.sources).exists() or not list(Path(settings.sources).rglob("*"))


def test_a_site_without_a_feed_is_said(settings: Settings, site: Site) -> None:
    site.pages[f"{HOST}/"] = b"<html><body>Nothing.</body></html>"
    with pytest.raises(SettingsError, match="a site that names one, got 'http"):
        add_source(settings, f"http://{HOST}/")


OPML = """<?xml version="1.0"?><opml version="2.0"><body><outline text="Local">
<outline type="rss" text="Courier &amp; Post" xmlUrl="https://www.courier.example/feed" htmlUrl="https://www.courier.example/"/>
<outline type="rss" text="Courier: crime" xmlUrl="https://feeds.courier.example/crime"/>
<outline type="rss" text="Post: \u2018Mill\u2019 [bold]" xmlUrl="https://post.example/feed"/>
<outline type="rss" text="Bad" xmlUrl="https://me:secret@bad.example/feed"/></outline></body></opml>"""


def test_a_list_of_feeds_becomes_a_source_a_site_and_again_nothing(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "feeds.opml"
    file.write_text(OPML.replace("me:secret@bad.example", "www.courier.example"), encoding="utf-8")
    added = import_opml(settings, file)
    assert [(one.source_id, len(one.urls), one.skipped) for one in added] == [("courier", 2, ""), ("post", 1, "")]
    sources = load_sources(settings.sources)
    assert (sources["courier"].name, sources["post"].name) == ("Courier & Post", "Post: \u2018Mill\u2019 [bold]")
    assert all(one.skipped for one in import_opml(settings, file))


def test_a_feed_with_a_password_is_left_out_and_the_password_is_not_told(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "feeds.opml"
    file.write_text(OPML, encoding="utf-8")
    code, output = run("import", str(file))
    assert code == 0 and "2 sources written, 1 left out" in output
    assert "without user and password" in output
    assert "secret" not in output


def test_what_is_no_list_is_said(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "x.opml").write_text("<html>")
    with pytest.raises(InputRejected, match="no OPML"):
        import_opml(settings, tmp_path / "x.opml")
    with pytest.raises(SettingsError, match="readable OPML"):
        import_opml(settings, tmp_path / "none.opml")


def test_sources_are_tried_and_shown(settings: Settings, site: Site) -> None:
    add_source(settings, f"http://{HOST}/")
    assert [feed.outcome for feed in try_sources(settings)] == ["ok"]
    code, output = run("check")
    assert code == 0 and FEED in output and "ok" in output
    site.pages[f"{HOST}/news/feed"] = 404
    code, output = run("check", "courier")
    assert code == 1 and "not_found" in output
    lines = [line for line in run("check", "--json")[1].splitlines() if line.startswith("{")]
    assert [json.loads(line)["outcome"] for line in lines] == ["not_found"]


def test_a_gone_feed_is_shown_and_wakes_when_told(make_settings: Callable[..., Settings], site: Site) -> None:
    settings = make_settings()
    add_source(settings, f"http://{HOST}/")
    feed, site.pages[f"{HOST}/news/feed"] = site.pages[f"{HOST}/news/feed"], 410
    steps.ingest_feeds(settings, run_id="r")
    (row,) = read_sources_health(settings)
    assert (row.status, row.source_id) == ("paused", "courier")
    code, output = run("health", "--faults")
    assert code == 0 and "410" in output and "1 paused" in output
    site.pages[f"{HOST}/news/feed"] = feed
    assert steps.ingest_feeds(settings, run_id="r")["n_feeds"] == 0
    assert "resumed" in run("resume", "courier")[1]
    assert resume_feeds(settings, [FEED]) == []
    assert steps.ingest_feeds(settings, run_id="r")["n_documents"] == 1
    with pytest.raises(SettingsError, match="id of a source"):
        resume_feeds(settings, ["nobody"])


def test_habits_are_learnt_from_what_is_published(make_settings: Callable[..., Settings], site: Site) -> None:
    settings = make_settings()
    add_source(settings, f"http://{HOST}/")
    steps.ingest_feeds(settings, run_id="r")
    for slice_id in steps.plan_slices(settings):
        steps.read_slice(settings, slice_id)
    steps.publish_batch(settings, run_id="r")
    with Stores(settings) as stores:
        (habit,) = stores.habits.load().values()
    assert (habit.source_id, habit.n_articles, habit.usable.n) == ("courier", 1, 1)
    (row,) = read_sources_health(settings)
    assert row.status == "ok" and row.usual_chars == pytest.approx(124)
    assert row.next_due_at is not None and row.next_due_at - stores.now() < timedelta(hours=1)
    assert json.loads(run("health", "--json")[1])["status"] == "ok"
