"""Builders for the tests of cleaning."""

from datetime import UTC, datetime
from typing import Any

from blotter.clean import clean_document
from blotter.ids import sha256_hex
from blotter.model import Article, Document

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
STORY = (
    "A warehouse on Dock Street burned through the night, the fire department said on Saturday. "
    "Forty firefighters worked until morning and nobody was hurt, Chief Marta Ellison said."
)


def make_document(payload: bytes, **given: Any) -> Document:
    values: dict[str, Any] = {
        "input_id": "inp_1",
        "kind": "file",
        "source_id": "courier",
        "location": "a.html",
        "payload_sha256": sha256_hex(payload),
        "media": "html",
        "received_at": NOW,
    }
    return Document(**{**values, **given})


def clean(markup: str | bytes, **given: Any) -> Article:
    payload = markup if isinstance(markup, bytes) else markup.encode()
    return clean_document(make_document(payload, **given), payload)


def make_page(
    *,
    head: str = "",
    body: str = f"<article><h1>Warehouse burns</h1><p>{STORY}</p><p>{STORY}</p></article>",
    lang: str = "en",
) -> str:
    return f'<!doctype html><html lang="{lang}"><head>{head}</head><body>{body}</body></html>'
