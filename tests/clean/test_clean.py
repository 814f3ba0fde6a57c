"""What of the page's own words and of what came beside it is believed."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blotter.clean import clean_document, compose_text
from blotter.errors import InputRejected, Reason
from clean.builders import NOW, STORY, clean, make_document, make_page

MORNING = datetime(2024, 3, 9, 8, 30, tzinfo=UTC)


def linked(**story: object) -> str:
    graph = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": "Linked headline", **story}
    return f'<script type="application/ld+json">{json.dumps(graph)}</script>'


def test_text_starts_with_the_title_once() -> None:
    article = clean(make_page())
    assert article.text.startswith(f"Warehouse burns\n\n{STORY}")
    assert article.text.count("Warehouse burns") == 1


@pytest.mark.parametrize(
    ("title", "body", "text"),
    [
        ("Title", "Body.", "Title\n\nBody."),
        ("", "Body.", "Body."),
        ("Title", "Title\n\nBody.", "Title\n\nBody."),
        ("Title", "# Title\nBody.", "Title\n\nBody."),
        ("Title", "Title of another kind.", "Title\n\nTitle of another kind."),
        ("Title", "Title", "Title"),
    ],
)
def test_compose_text(title: str, body: str, text: str) -> None:
    assert compose_text(title, body) == text


@pytest.mark.parametrize(
    ("head", "title"),
    [
        (linked() + '<meta property="og:title" content="Open headline">', "Linked headline"),
        ('<meta property="og:title" content="Open headline"><title>Window</title>', "Open headline"),
        (
            '<meta property="og:title" content="Open headline | Courier"><meta name="og:site_name" content="Courier">',
            "Open headline",
        ),
        (
            '<meta property="og:title" content="Open headline - Courier"><title>Open headline | Courier</title>',
            "Open headline",
        ),
        ('<meta property="og:title" content="A &amp;amp; B &lt;b&gt;burn&lt;/b&gt;">', "A & B burn"),
        ('<meta property="og:title" content="Say it<script>alert(1)</script>">', "Say it"),
        ("<title>Window | Courier</title>", "Warehouse burns"),
        ('<script type="application/ld+json">{broken</script>', "Warehouse burns"),
        (linked(headline=["no", "string"]), "Warehouse burns"),
    ],
)
def test_title(head: str, title: str) -> None:
    assert clean(make_page(head=head)).title == title


@pytest.mark.parametrize(
    ("head", "byline", "author"),
    [
        (linked(author={"@type": "Person", "name": "Ines Okafor"}), "", "Ines Okafor"),
        (linked(author=[{"name": "Ines Okafor"}, {"name": "Cal Brandt"}]), "", "Ines Okafor; Cal Brandt"),
        (linked(author="By Ines Okafor"), "", "Ines Okafor"),
        (linked(author={"name": "https://courier.example/ines"}), "", None),
        ('<meta name="author" content="Ines Okafor">', "", "Ines Okafor"),
        ("", '<div class="byline">By Ines Okafor</div>', "Ines Okafor"),
        (
            "",
            '<p class="byline">By <a rel="author">Ines Okafor</a> and <a rel="author">Cal Brandt</a></p>',
            "Ines Okafor; Cal Brandt",
        ),
        ("", '<div class="byline">Ines Okafor, Courier<br>Published 9 a.m.</div>', "Ines Okafor"),
    ],
)
def test_author(head: str, byline: str, author: str | None) -> None:
    body = f"<article><h1>Warehouse burns</h1>{byline}<p>{STORY}</p><p>{STORY}</p></article>"
    assert clean(make_page(head=head, body=body)).author == author


@pytest.mark.parametrize(
    ("head", "published_at", "precision"),
    [
        (linked(datePublished="2024-03-09T08:30:00Z"), MORNING, "minute"),
        (linked(datePublished="2024-03-09T03:30:00-05:00"), MORNING, "minute"),
        (linked(datePublished="2024-03-09T08:30:00"), MORNING, "minute"),
        (linked(datePublished="2024-03-09"), MORNING.replace(hour=0, minute=0), "day"),
        ('<meta property="article:published_time" content="2024-03-09T08:30:00+00:00">', MORNING, "minute"),
        ('<meta name="pubdate" content="20240309">', MORNING.replace(hour=0, minute=0), "day"),
        (
            linked(datePublished="2044-01-01") + '<meta name="pubdate" content="20240309">',
            MORNING.replace(hour=0, minute=0),
            "day",
        ),
    ],
)
def test_published_by_the_page(head: str, published_at: datetime, precision: str) -> None:
    article = clean(make_page(head=head))
    assert (article.published_at, article.published_precision) == (published_at, precision)
    assert article.published_basis == "page"


def test_published_in_the_words_of_the_page() -> None:
    body = f"<article><h1>Warehouse burns</h1><p>Posted March 9, 2024</p><p>{STORY}</p><p>{STORY}</p></article>"
    article = clean(make_page(body=body))
    assert (article.published_at.date().isoformat(), article.published_precision) == ("2024-03-09", "day")


def test_published_in_the_address() -> None:
    article = clean(make_page(), url="https://www.courier.example/2024/03/08/warehouse")
    assert (article.published_at, article.published_basis) == (datetime(2024, 3, 8, tzinfo=UTC), "page")


def test_what_came_beside_outranks_the_page_but_for_a_files_date() -> None:
    page = make_page(head=linked(datePublished="2024-03-09T08:30:00Z"))
    stated = clean(
        page, title="Told", published_at=NOW - timedelta(days=3), published_precision="day", published_basis="sidecar"
    )
    assert (stated.title, stated.published_at, stated.published_basis) == ("Told", NOW - timedelta(days=3), "sidecar")
    filed = clean(page, published_at=NOW - timedelta(days=3), published_precision="minute", published_basis="file")
    assert (filed.published_at, filed.published_basis) == (MORNING, "page")


def test_an_entry_points_to_its_page_which_knows_its_title_better() -> None:
    page = make_page(head=linked(author="Ines Okafor"))
    article = clean(page, kind="entry", title="Feed title", author="Feed", published_at=MORNING, published_basis="feed")
    assert (article.title, article.author, article.published_basis) == ("Linked headline", "Ines Okafor", "feed")


def test_without_any_date_it_is_the_files_else_that_of_receipt() -> None:
    filed = clean(make_page(), published_at=MORNING, published_precision="minute", published_basis="file")
    assert (filed.published_at, filed.published_basis) == (MORNING, "file")
    received = clean(make_page())
    assert (received.published_at, received.published_basis) == (NOW, "received")


@pytest.mark.parametrize("year", [1023, 2044])
def test_a_stated_date_that_cannot_be_is_said(year: int) -> None:
    with pytest.raises(InputRejected) as rejected:
        clean(make_page(), published_at=datetime(year, 1, 1, tzinfo=UTC), published_basis="sidecar")
    assert rejected.value.reason is Reason.IMPOSSIBLE_DATE


def test_modified_is_kept_apart_and_only_if_later() -> None:
    times = {"datePublished": "2024-03-09T08:30:00Z", "dateModified": "2024-03-09T18:00:00Z"}
    assert clean(make_page(head=linked(**times))).modified_at == MORNING.replace(hour=18, minute=0)
    assert clean(make_page(head=linked(**{**times, "dateModified": times["datePublished"]}))).modified_at is None


def test_a_replay_without_a_clock_dates_its_pages() -> None:
    unset = datetime(1, 1, 1, tzinfo=UTC)
    article = clean(make_page(head=linked(datePublished="2024-03-09T08:30:00Z")), received_at=unset)
    assert article.published_at == MORNING
    assert clean(make_page(), received_at=unset).published_at == unset


@pytest.mark.parametrize(
    ("payload", "declared"),
    [
        (make_page(head='<meta charset="utf-8">').replace("Marta", "Zoë").encode(), None),
        (make_page(head='<meta charset="windows-1252">').replace("Marta", "Zoë").encode("cp1252"), None),
        (make_page().replace("Marta", "Zoë").encode("iso-8859-1"), "iso-8859-1"),
        (b"\xef\xbb\xbf" + make_page(head='<meta charset="iso-8859-1">').replace("Marta", "Zoë").encode(), "koi8-r"),
        (make_page().replace("Marta", "Zoë").encode("utf-16"), None),
        (make_page(head='<meta charset="iso-8859-1">').replace("Marta", "Zoë").encode(), "iso-8859-1"),
        (make_page(head='<meta charset="no-such-thing">').replace("Marta", "Zoë").encode("cp1252"), "nor-this"),
    ],
)
def test_charset(payload: bytes, declared: str | None) -> None:
    assert "Chief Zoë Ellison" in clean(payload, charset=declared).text


def test_language_is_that_of_the_text_whatever_the_template_says() -> None:
    german = "Ein Lagerhaus an der Hafenstraße brannte in der Nacht nieder, teilte die Feuerwehr am Samstag mit. " * 3
    assert clean(make_page(body=f"<article><h1>Brand</h1><p>{german}</p></article>", lang="en")).language == "de"


@pytest.mark.parametrize("markup", [f"<p>{STORY}</p><p>Second.</p>", f"{STORY}<br>Second."])
def test_a_fragment_is_flattened(markup: str) -> None:
    article = clean(markup, title="Told")
    assert article.text == f"Told\n\n{STORY}\nSecond."


def test_plain_text_is_kept_but_for_line_ends_and_controls() -> None:
    article = clean("One\u00a0line.\r\nTwo\x00 lines.\r\r\nThree —\u2019.".encode(), media="text", title="Told")
    assert article.text == "Told\n\nOne\u00a0line.\nTwo lines.\n\nThree —\u2019."


def test_the_article_is_known_by_source_and_canonical_address() -> None:
    head = '<link rel="canonical" href="https://www.courier.example/warehouse">'
    first = clean(make_page(head=head), url="https://amp.courier.example/warehouse/amp?utm_source=x")
    assert first.url == "https://amp.courier.example/warehouse/amp?utm_source=x"
    assert first.canonical_url == "https://www.courier.example/warehouse"
    assert first.article_id == clean(make_page(), url="http://www.courier.example/warehouse/").article_id
    assert first.article_id != clean(make_page(), url="http://www.courier.example/warehouse/", source_id="x").article_id
    assert clean("Text.", media="text").article_id != clean("Other.", media="text").article_id


WALLS = {
    Reason.BOT_CHALLENGE: [
        ("<title>Just a moment...</title>", "<p>Checking your browser before accessing courier.example.</p>"),
        ("<title>Access Denied</title>", "<p>You don't have permission to access this server. Reference 18.2f</p>"),
        ("<title>courier.example</title>", "<p>Please press and hold to confirm that you are not a robot.</p>"),
    ],
    Reason.CONSENT_WALL: [
        ("<title>Before you continue</title>", "<p>We use cookies. Accept all or reject all.</p>"),
        ("<title>Courier</title>", "<p>We and our 842 partners store cookies. Accept all. Your privacy.</p>"),
    ],
    Reason.PAYWALL: [
        ("<title>Feud</title>", "<article><p>It began so.</p><p>Subscribe now to continue reading.</p></article>"),
        (linked(isAccessibleForFree=False), "<article><p>It began with a letter that nobody read.</p></article>"),
    ],
    Reason.GONE: [
        ("<title>Page not found - Courier</title>", "<p>The page you are looking for does not exist.</p>"),
        ("<title>404</title>", "<p>Sorry, nothing is here any more, whatever it was.</p>"),
        ("<title>Oops</title>", "<h1>Oops</h1><p>This story is no longer available.</p>"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("reason", "head", "body"), [(r, h, b) for r, pages in WALLS.items() for h, b in pages])
def test_walls_are_refused(reason: Reason, head: str, body: str) -> None:
    with pytest.raises(InputRejected) as rejected:
        clean(make_page(head=head, body=body))
    assert rejected.value.reason is reason


@pytest.mark.parametrize(
    "about",
    [
        "The paywall fell: readers no longer have to subscribe to continue reading, the publisher said.",
        "Error 404: how the city's website lost a thousand pages, and why the page could not be found.",
        "Just a moment before noon the alarm rang. Access denied, the door said.",
        "We value your privacy, says every site. Accept all, reject all: what becomes of your choice.",
    ],
)
def test_stories_about_walls_are_no_walls(about: str) -> None:
    body = (
        f"<article><h1>{about.split(':')[0]}</h1>"
        + "".join(f"<p>{about} {n} of them said so. {STORY}</p>" for n in ("Two", "Three", "Forty", "Sixty"))
        + "</article>"
    )
    assert about in clean(make_page(head=linked(datePublished="2024-03-09"), body=body)).text


def test_lists_of_stories_are_refused() -> None:
    links = "".join(f'<li><a href="/{n}">Story number {n} of the day</a></li>' for n in range(90))
    for url, head in (("https://courier.example/", ""), (None, linked(**{"@type": "CollectionPage"})), (None, "")):
        with pytest.raises(InputRejected) as rejected:
            clean(make_page(head=head, body=f"<main><h1>News</h1><ul>{links}</ul></main>"), url=url)
        assert rejected.value.reason in (Reason.INDEX_PAGE, Reason.NO_TEXT)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"<html><body></body></html>", Reason.NO_TEXT),
        (b"<html><head><title>x</title></head><body><script>var a</script></body></html>", Reason.NO_TEXT),
        (b"<p></p>", Reason.NO_TEXT),
        (b"<!-- nothing -->", Reason.NO_TEXT),
        (b"<html><body>" + b"<p>x</p>" * 40_000, Reason.TOO_LARGE),
        (b"<html><body>" + b"x" * 9_000_000, Reason.TOO_LARGE),
    ],
)
def test_what_holds_no_text_is_said(payload: bytes, reason: Reason) -> None:
    with pytest.raises(InputRejected) as rejected:
        clean(payload)
    assert rejected.value.reason is reason


@settings(max_examples=150, deadline=None)
@given(
    payload=st.one_of(
        st.binary(max_size=600),
        st.text(max_size=600).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.lists(
            st.sampled_from(
                [
                    "<p>",
                    "</p>",
                    "<html>",
                    "<body>",
                    "<h1>",
                    "<script>",
                    "&#0;",
                    "<!--",
                    "]]>",
                    "a b.",
                    "<title>",
                    "\x00",
                    "<?xml",
                    "é",
                ]
            )
        ).map(lambda parts: "".join(parts).encode()),
    ),
    media=st.sampled_from(["html", "text"]),
    charset=st.sampled_from([None, "utf-8", "utf-16", "shift_jis", "zlib", "idna", "nonsense"]),
)
def test_any_bytes_give_an_article_or_a_reason(payload: bytes, media: str, charset: str | None) -> None:
    document = make_document(payload, media=media, charset=charset)
    try:
        article = clean_document(document, payload)
    except InputRejected as rejected:
        assert rejected.message
    else:
        article.text.encode("utf-8")  # no lone surrogates
        assert "\x00" not in article.text
        assert article.text.startswith(article.title)
        assert clean_document(document, payload) == article
