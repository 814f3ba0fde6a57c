"""A person names an address, and its page is read: guarded like any other, and stored nowhere."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from blotter.config import FetchSettings, Settings, load_settings
from blotter.errors import Reason, SettingsError
from blotter.ingest.visit import visit_page
from blotter.model import Arrival, Rejection
from blotter.replay import extract_articles
from blotter.show import show_extraction
from ingest.site import serve_site

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOST = "courier.example"
STORY = (
    "A 34-year-old woman was killed on Tuesday night when a pickup ran a red light on Yale Avenue in Tulsa, Okla., "
    "police said. Carla Voss, 34, of Jenks, died at the scene. The driver, Dale Rusk, 51, was arrested."
)


def make_settings(port: int) -> FetchSettings:
    return FetchSettings(resolve=(f"*.example=127.0.0.1:{port}",), host_spacing_s=0)


def make_all_settings(port: int) -> Settings:
    settings = load_settings(environ={})
    read = settings.read.model_copy(update={"confine": False})
    return settings.model_copy(update={"fetch": make_settings(port), "read": read})


def test_a_page_becomes_an_arrival() -> None:
    with serve_site() as site:
        site.put_story(HOST, "/fire", "Elm Street")
        arrived = visit_page(f"http://{HOST}/fire", settings=make_settings(site.port), now=NOW)
    assert isinstance(arrived, Arrival)
    assert arrived.document.url == f"http://{HOST}/fire"
    assert b"Elm Street" in (arrived.payload or b"")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"http://{HOST}/none", Reason.GONE),
        (f"http://{HOST}/forbidden", Reason.FETCH_FAILED),
        ("http://127.0.0.1/secret", Reason.FETCH_FAILED),  # inside our own walls
        ("http://[::1/", Reason.FETCH_FAILED),
    ],
)
def test_what_cannot_be_had_is_told(url: str, reason: Reason) -> None:
    with serve_site() as site:
        site.pages[f"{HOST}/forbidden"] = 403
        told = visit_page(url, settings=make_settings(site.port), now=NOW)
    assert isinstance(told, Rejection)
    assert told.reason is reason


def test_an_address_is_read_like_a_file() -> None:
    with serve_site() as site:
        title = "Woman killed in Tulsa crash"
        page = (
            f"<html><head><title>{title}</title><meta property='article:published_time' content='2026-03-04T09:00:00Z'>"
        )
        page += f"</head><body><article><h1>{title}</h1><p>{STORY}</p><p>{STORY[:60]}</p></article></body></html>"
        site.pages[f"{HOST}/crash"] = page.encode()
        url = f"http://{HOST}/crash"
        found, gone = extract_articles(make_all_settings(site.port), [url, f"http://{HOST}/gone"], stdin=io.BytesIO())
    assert found.reading is not None
    assert found.url == url
    assert any(claim.value == "Carla Voss" for claim in found.reading.claims)
    assert gone.reading is None
    assert "gone" in (gone.message or "")
    console = Console(file=(page_shown := io.StringIO()), width=100, force_terminal=True, color_system="standard")
    show_extraction(console, found)
    assert "Tulsa" in page_shown.getvalue()
    assert "\x1b[1;33mCarla Voss, 34\x1b[0m" in page_shown.getvalue(), "the words that were read are highlighted"


def test_what_is_neither_address_nor_file_is_told() -> None:
    with pytest.raises(SettingsError, match="an address, a file or folder"):
        list(extract_articles(load_settings(environ={}), ["ftp://courier.example/x"], stdin=io.BytesIO()))
