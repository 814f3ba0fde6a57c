"""A source's credential reaches its own hosts, and nothing that is written, logged, shown or raised."""

import base64
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from blotter import steps
from blotter.cli import app
from blotter.config import Settings, load_settings
from blotter.errors import SettingsError
from blotter.ingest.credentials import find_credential, find_in_environment, parse_credential
from blotter.ingest.fetch import Fetched, Outcome
from blotter.sources import Feed, Source
from blotter.stores import Stores
from ingest.site import Site, serve_site

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
HOST, THIEF = "courier.example", "thief.example"
SECRET = "s3cr3t/Pa55+word"
TEXTS = {
    "basic": f"basic ana:{SECRET}",
    "bearer": f"bearer {SECRET}",
    "header": f"header X-Api-Key: {SECRET}",
}
SHOWN = {
    "basic": ("Authorization", "Basic " + base64.b64encode(f"ana:{SECRET}".encode()).decode()),
    "bearer": ("Authorization", f"Bearer {SECRET}"),
    "header": ("X-Api-Key", SECRET),
}


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as serving:
        serving.put_story(HOST, "/Dock", "Dock Street")
        serving.put_story(THIEF, "/Mill", "Mill Street")
        serving.put_feed(
            HOST,
            "/feed",
            [
                {"title": "Dock Street", "link": f"http://{HOST}/Dock", "guid": "1"},
                {"title": "Mill Street", "link": f"http://{THIEF}/Mill", "guid": "2"},
            ],
        )
        yield serving


@pytest.fixture
def settings(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    given = {name: str(tmp_path / name) for name in ("warehouse", "archive", "staging", "inbox", "sources")}
    given |= {"state": str(tmp_path / "state.db"), "clock": NOW.isoformat(), "fetch__host_spacing_s": "0"}
    given |= {"fetch__resolve": f"*.example=127.0.0.1:{site.port}"}
    for name, value in given.items():
        monkeypatch.setenv(f"BLOTTER_{name.upper()}", value)
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "courier.yaml").write_text(
        f"name: Courier\ncredentials: harbor-courier\nfeeds: [{{url: 'http://{HOST}/feed'}}]\n"
    )
    return load_settings()


@pytest.mark.parametrize("form", TEXTS)
def test_a_credential_is_shown_to_its_host_and_to_no_other(
    form: str, settings: Settings, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOTTER_CREDENTIALS_HARBOR_COURIER", TEXTS[form])
    assert steps.ingest_feeds(settings, run_id="r")["n_documents"] == 2
    name, value = SHOWN[form]
    shown = [headers.get(name) for headers in site.headers_asked]
    told = dict(zip(site.asked, shown, strict=True))
    assert told == {f"{HOST}/feed": value, f"{HOST}/Dock": value, f"{THIEF}/Mill": None}


def test_a_redirect_to_another_host_does_not_take_it_along(
    settings: Settings, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOTTER_CREDENTIALS_HARBOR_COURIER", TEXTS["bearer"])
    site.pages[f"{HOST}/feed"] = 302
    site.headers[f"{HOST}/feed"] = {"Location": f"http://{THIEF}/feed"}
    steps.ingest_feeds(settings, run_id="r")
    assert site.asked == [f"{HOST}/feed", f"{THIEF}/feed"]
    assert [headers.get("Authorization") for headers in site.headers_asked] == [f"Bearer {SECRET}", None]


def test_it_stands_in_nothing_that_is_kept_logged_shown_or_raised(
    settings: Settings, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that sends it back in every header that is kept, and in redirects that fail: nothing has it."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("BLOTTER_CREDENTIALS_HARBOR_COURIER", TEXTS["basic"])
    packed = SHOWN["basic"][1].removeprefix("Basic ")
    quoted = SECRET.replace("/", "%2F").replace("+", "%2B")
    echo = {"ETag": f'"{SECRET}"', "Last-Modified": packed, "Content-Type": f"text/html; key={quoted}"}
    shown = []
    for status, headers in (
        (200, echo),
        (302, {"Location": f"/login?token={quoted}"}),
        (301, {"Location": f"/login?token={packed}"}),
        (302, {"Location": f"ftp://{SECRET}/"}),
        (403, echo),
        (410, echo),
    ):
        feed = site.pages[f"{HOST}/feed"]
        if status != 200:
            site.pages[f"{HOST}/feed"] = status
        site.headers[f"{HOST}/feed"] = site.headers[f"{HOST}/Dock"] = headers
        steps.ingest_feeds(settings, run_id=f"r{status}", source_ids=["courier"])
        for words in (["check"], ["check", "--json"], ["health"], ["health", "--json"]):
            ended = CliRunner().invoke(app, ["sources", *words])
            shown.append(ended.output + repr(ended.exception))
        site.pages[f"{HOST}/feed"] = feed
    for slice_id in steps.plan_slices(settings):
        steps.read_slice(settings, slice_id)
    steps.publish_batch(settings, run_id="p")
    with Stores(settings) as stores:
        tables = [stores.warehouse.read(name).to_pylist() for name in ("inputs", "fetches", "articles", "quarantine")]
        shown += [str(tables), str(stores.feeds.load_cursors())]
    assert len(tables[1]) >= 8
    shown += [caplog.text, *(path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file())]
    for form in (SECRET, packed, quoted, f"ana:{SECRET}"):
        assert not [text[:200] for text in shown if form in text]


def test_one_that_cannot_be_had_fails_its_source_and_says_so(settings: Settings, site: Site, tmp_path: Path) -> None:
    (tmp_path / "sources" / "post.yaml").write_text(f"name: Post\nfeeds: [{{url: 'http://{THIEF}/feed'}}]\n")
    site.put_feed(THIEF, "/feed", [{"title": "Mill Street", "link": f"http://{THIEF}/Mill"}])
    assert steps.ingest_feeds(settings, run_id="r")["n_documents"] == 1
    with Stores(settings) as stores:
        rows = [row.row for row in stores.ledger.staged_rows() if row.table == "fetches"]
    (refused,) = [row for row in rows if row["source_id"] == "courier"]
    assert refused["outcome"] == Outcome.NO_CREDENTIALS
    assert "an Airflow connection, or a BLOTTER_CREDENTIALS_ variable" in refused["warning"]


def test_what_airflow_knows_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOTTER_CREDENTIALS_A", "bearer from-environment")
    source = Source(id="a", name="A", credentials="a", feeds=(Feed(url="https://a.example/feed"),))
    found = find_credential(source, {"a": "bearer from-airflow"}.get)
    assert found is not None and found.value == "Bearer from-airflow"
    found = find_credential(source, lambda name: None)
    assert found is not None and found.value == "Bearer from-environment"
    assert "from-environment" not in repr(found)
    assert find_in_environment("a-b.c", {"BLOTTER_CREDENTIALS_A_B_C": "x"}) == "x"
    assert find_credential(source.model_copy(update={"credentials": None})) is None
    assert load_settings() is not None, "no setting is meant by it"


@pytest.mark.parametrize(
    "text",
    [
        *(SECRET, "basic nocolon", "bearer", "header no-colon", "", "digest a:b"),
        *(f"header Bad Name: {SECRET}", f"bearer {SECRET}\nX: y", f"bearer {SECRET}é"),
    ],
)
def test_a_text_that_is_none_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_credential(text, where="credentials 'x'", urls=["https://a.example/"])
    assert SECRET not in str(refused.value) and SECRET not in repr(refused.value.args)


def test_it_is_never_sent_in_the_clear(settings: Settings, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over http only to hosts that the settings open: to this one they do not."""
    from blotter.ingest.addresses import AddressBook

    monkeypatch.setenv("BLOTTER_CREDENTIALS_HARBOR_COURIER", TEXTS["bearer"])
    monkeypatch.setattr(AddressBook, "is_open", lambda self, host, port: False)
    monkeypatch.setattr("blotter.ingest.addresses.is_public", lambda address: True)
    steps.ingest_feeds(settings, run_id="r")
    assert site.asked[0] == f"{HOST}/feed"
    assert [headers.get("Authorization") for headers in site.headers_asked] == [None] * len(site.asked)


def test_hiding_leaves_all_else_as_it_is() -> None:
    credential = parse_credential(TEXTS["bearer"], where="x", urls=[f"https://{HOST}/feed"])
    fetched = Fetched(url=f"https://{HOST}/feed", outcome=Outcome.OK, requested_at=NOW, etag='"1"', body=b"x")
    assert credential.hide(fetched) == fetched
    assert credential.hosts == {f"{HOST}:443"}
