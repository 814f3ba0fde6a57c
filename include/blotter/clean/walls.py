"""Pages that are no articles: walls, challenges, notices that a page is gone, lists of articles.

Belongs here: recognising them by what stands on them. Does not belong here: HTTP statuses (`blotter.ingest`).

Each rule needs a short text or a machine-readable mark beside the words: a story *about* paywalls, or one that ends
with "subscribe to continue", stays an article.
"""

import re

from lxml.html import HtmlElement

from blotter.clean.page import PageHead
from blotter.clean.urls import is_home_page
from blotter.errors import Reason

_SHORT_CHARS = 1_200
_STUB_CHARS = 400


def _any_of(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{phrase})" for phrase in phrases), re.IGNORECASE)


_CHALLENGE_TITLE = _any_of(
    r"^just a moment",
    r"^attention required",
    r"^access (?:to this page has been )?denied",
    r"^are you (?:a )?(?:robot|human)",
    r"^(?:security|robot|human|bot) (?:check|verification)",
    r"^(?:please )?verify(?:ing)? (?:that )?you are",
    r"^checking your browser",
    r"^one more step",
    r"^pardon our interruption",
    r"^ddos-guard",
    r"^you have been blocked",
    r"^request unsuccessful",
)
_CHALLENGE_TEXT = _any_of(
    r"verify(?:ing)? (?:that )?you are (?:a )?human",
    r"unusual (?:traffic|activity) from",
    r"complete the captcha",
    r"enable javascript and cookies to continue",
    r"checking (?:if the site connection is secure|your browser before)",
    r"press (?:and|&) hold",
    r"not a robot",
    r"automated (?:access|requests)",
)
_CONSENT_TITLE = _any_of(
    r"^before you continue",
    r"^your privacy choices",
    r"^we value your privacy",
    r"^cookie (?:consent|settings|policy)",
    r"^privacy settings",
)
_CONSENT_TEXT = _any_of(
    r"we (?:and our (?:\d+ )?partners )?(?:use|store|process)[^.]{0,80}cookies",
    r"(?:accept|reject) all",
    r"manage (?:your )?(?:choices|preferences|settings|options)",
    r"consent to (?:the use|our)",
    r"before you continue to",
    r"your privacy",
)
_PAYWALL_TEXT = _any_of(
    r"subscribe (?:now |today )?to (?:continue|keep|read|unlock|access)",
    r"to (?:continue|keep) reading",
    r"already a subscriber",
    r"this (?:article|content|story) is (?:only )?(?:for|available to|reserved for|exclusive to)[^.]{0,20}"
    r"(?:subscribers|members)",
    r"you(?:'ve|’ve| have) (?:reached|used|hit)[^.]{0,40}(?:articles|limit)",
    r"log ?in or subscribe",
    r"subscribers?[- ](?:only|exclusive)",
    r"become a (?:subscriber|member) to",
)
_GONE_TITLE = _any_of(
    r"^(?:http |error )*(?:404|410)(?:\W|$)",
    r"(?:error|http) (?:404|410)",
    r"(?:404|410) (?:error|page|not found)",
    r"(?:page|article|story|content|file) (?:is |was |can(?:not|'t|’t) be |could not be )?"
    r"(?:not found|found|unavailable|no longer (?:available|exists?))",
    r"^(?:not found|oops|nothing found)",
)
_GONE_TEXT = _any_of(
    r"(?:page|article|story|content|url|address)(?: that)?"
    r"(?: you(?:'re|’re| are| were)? (?:looking for|requested|trying to)[^.]{0,30})? ?"
    r"(?:could not be found|was not found|can(?:not|'t|’t) be found|does(?:n't|n’t| not) exist"
    r"|(?:is|are) no longer (?:available|here)|no longer exists|has (?:been )?(?:removed|expired|deleted))",
    r"error 404",
    r"404 error",
    r"page not found",
)
_LIST_TYPES = frozenset({"collectionpage", "searchresultspage", "itemlist"})
_ARTICLE_MARKS = frozenset({"article", "newsarticle", "reportagenewsarticle", "blogposting", "liveblogposting"})


def find_refusal(head: PageHead, body: str, url: str | None, *, n_links: int) -> tuple[Reason, str] | None:
    """Say why a page is no article, with the words for a person; None where it may be one."""
    title, length = head.title or "", len(body)
    is_short, is_stub = length < _SHORT_CHARS, length < _STUB_CHARS
    if is_short and (_CHALLENGE_TITLE.search(title) or (is_stub and _CHALLENGE_TEXT.search(body))):
        return Reason.BOT_CHALLENGE, f"the page asks to prove a person ({title[:80]!r})"
    if is_short and (_CONSENT_TITLE.search(title) or (is_stub and len(_CONSENT_TEXT.findall(body)) >= 2)):
        return Reason.CONSENT_WALL, f"the page is a consent form ({title[:80]!r})"
    is_undated_stub = is_stub and not head.published
    if is_short and _GONE_TITLE.search(title) and (is_undated_stub or _GONE_TEXT.search(body)):
        return Reason.GONE, f"the page says that it is gone ({title[:80]!r})"
    if is_undated_stub and _GONE_TEXT.search(body):
        return Reason.GONE, "the page says that it is gone"
    if _PAYWALL_TEXT.search(body) and (is_stub or (is_short and head.is_free is False)):
        return Reason.PAYWALL, f"only {length} characters stand before the paywall"
    if head.is_free is False and is_stub:
        return Reason.PAYWALL, f"the page says that it is not free, and shows {length} characters"
    if _is_index(head, body, url, n_links):
        return Reason.INDEX_PAGE, "a list of articles, no article"
    return None


def count_links(tree: HtmlElement) -> int:
    """Count a page's links."""
    return int(tree.xpath("count(//a[@href])"))


def _is_index(head: PageHead, body: str, url: str | None, n_links: int) -> bool:
    if head.types & _ARTICLE_MARKS:
        return False
    if url is not None and is_home_page(url):
        return True
    if head.types & _LIST_TYPES:
        return True
    lines = [line for line in body.split("\n") if line]
    prose = sum(len(line) for line in lines if len(line) > 120)
    return n_links > 40 and len(lines) > 15 and prose < 0.2 * len(body)
