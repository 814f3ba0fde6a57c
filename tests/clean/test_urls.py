"""One address stands for all addresses of a page, and an address of another page never does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blotter.clean.urls import canonicalize_url, choose_canonical, is_home_page, is_same_site

STORY = "https://www.courier.example/news/fire"


@pytest.mark.parametrize(
    "url",
    [
        "http://www.courier.example/news/fire",
        "HTTPS://WWW.Courier.Example:443/news/fire/",
        "https://user:secret@www.courier.example/news/fire",
        "https://www.courier.example/news/fire#comments",
        "https://www.courier.example/news/fire?utm_source=rss&utm_medium=feed&fbclid=x1",
        "https://www.courier.example/news/fire?ref=home&amp=1",
        "https://www.courier.example/news/fire/amp/",
        "https://www.courier.example/news/fire/print",
        "https://www.courier.example/news/fire?outputType=amp",
        "https://www.courier.example/x/../news/./fire",
        "https://www.courier.example/news/fire/index.html",
        "https://www.google.com/amp/s/www.courier.example/news/fire",
        "https://www-courier-example.cdn.ampproject.org/c/s/www.courier.example/news/fire/amp",
        " https://www.courier.example/news/fire\n",
    ],
)
def test_copies_of_one_page(url: str) -> None:
    assert canonicalize_url(url) == STORY


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("https://courier.example/story?id=1", "https://courier.example/story?id=2"),
        ("https://courier.example/a", "https://courier.example/A"),
        ("https://courier.example/a", "https://other.example/a"),
        ("https://courier.example:8080/a", "https://courier.example/a"),
        ("https://courier.example/?p=12", "https://courier.example/?p=13"),
        ("https://courier.example/story?page=2", "https://courier.example/story"),
        ("https://courier.example/news/example", "https://courier.example/news"),
        ("https://courier.example/search?view=list", "https://courier.example/search?view=map"),
    ],
)
def test_pages_apart(url: str, other: str) -> None:
    assert canonicalize_url(url) != canonicalize_url(other)


@pytest.mark.parametrize(
    "url", ["", "x", "mailto:a@b.example", "ftp://a.example/", "http://", "http://[::1", "http://a b/"]
)
def test_no_addresses(url: str) -> None:
    assert canonicalize_url(url) is None


def test_order_of_parameters_does_not_count() -> None:
    assert canonicalize_url("https://a.example/s?b=2&a=1") == canonicalize_url("https://a.example/s?a=1&b=2")


_PARTS = st.sampled_from(
    ["/", "a", "B", "é", "%7e", "%20", " ", "?", "&", "=", "#", ";", "..", ".", "//", "amp", "/amp/", "print",
     "utm_x=1", "id=3", "index.html", ":80", "@", "[", "%", "\\", "m.", "www.google.com/amp/s/",
     "http://", "\u202e", "xn--"]
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(
    st.one_of(st.text(max_size=80), st.lists(_PARTS, max_size=12).map("".join)),
    st.sampled_from(["http://a.example/", "https://m.b.co.uk", "", "http://"]),
)
def test_canonical_is_idempotent_and_never_raises(text: str, start: str) -> None:
    canonical = canonicalize_url(start + text)
    if canonical is not None:
        assert canonicalize_url(canonical) == canonical
        assert canonical.startswith("https://")
        canonical.encode("ascii")


@pytest.mark.parametrize(
    ("url", "other", "expected"),
    [
        ("https://news.courier.co.uk/a", "https://www.courier.co.uk/b", True),
        ("https://a.co.uk/a", "https://b.co.uk/b", False),
        ("https://www.courier.example/a", "https://courier.example", True),
        ("http://10.0.0.1/", "http://11.0.0.1/", False),
        ("nonsense", "nonsense", False),
    ],
)
def test_same_site(url: str, other: str, expected: bool) -> None:
    assert is_same_site(url, other) is expected


@pytest.mark.parametrize(
    ("url", "stated", "chosen"),
    [
        ("https://www.courier.example/a?x=1", "https://www.courier.example/a", "https://www.courier.example/a"),
        ("https://www.courier.example/a", "/b", "https://www.courier.example/b"),
        ("https://www.courier.example/a", "https://thief.example/a", "https://www.courier.example/a"),
        ("https://www.courier.example/a", "https://www.courier.example/", "https://www.courier.example/a"),
        ("https://www.courier.example/a", "", "https://www.courier.example/a"),
        (None, "https://www.courier.example/a", "https://www.courier.example/a"),
        (None, "/a", None),
        (None, None, None),
    ],
)
def test_a_page_may_name_its_address_within_its_site(url: str | None, stated: str | None, chosen: str | None) -> None:
    assert choose_canonical(url, stated) == chosen


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example", True),
        ("https://a.example/en/", True),
        ("https://a.example/?p=1", False),
        ("https://a.example/news", False),
    ],
)
def test_home_page(url: str, expected: bool) -> None:
    assert is_home_page(url) is expected
