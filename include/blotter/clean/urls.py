"""The canonical URL: one address that stands for all addresses of a page.

Belongs here: what of an address is identity and what is not. Does not belong here: asking the network.
"""

import re
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from courlan import extract_domain
from w3lib.url import canonicalize_url as normalize_url

MAX_URL_CHARS = 2_000

# Parameters by which senders, social networks and advertisers follow a reader: they never say which page it is.
_TRACKING = re.compile(
    r"""(?: utm_ | mc_ | mtm_ | pk_ | piwik_ | matomo_ | ga_ | gs_ | hsa_ | _hs | vero_ | oly_ | wt\. | at_ | ns_ | sc_
          | trk | fb_ | cx_ | soc_ | __twitter | ftag ) .*
      | fbclid | gclid | gclsrc | dclid | wbraid | gbraid | msclkid | yclid | ysclid | twclid | ttclid | li_fat_id
      | igsh | igshid | mkt_tok | mbid | mod | cmp | cmpid | icid | ito | ncid | s_cid | s_kwcid | smid | smtyp | spm
      | xtor | taid | ocid | cvid | sfns | linkid | tag_origin | traffic_source | output_source | __source
      | ref | ref_src | ref_url | referrer | referer | source | src | from | via | campaign | partner
      | share | shared | sharetype | sr_share | social | rss | feed | guccounter | guce_referrer (?:_sig)?""",
    re.VERBOSE | re.IGNORECASE,
)
_COPY_PARAMETERS = {  # the same page, made for a printer, a phone or a preview
    "amp": None, "print": None, "printable": None, "printer": None, "printerfriendly": None, "isamp": None,
    "outputtype": ("amp", "print", "amp-type"), "output": ("amp", "print"), "view": ("print", "amp"),
    "mode": ("print", "amp"), "format": ("print", "amp"), "display": ("print", "amp"), "usqp": None, "amp_js_v": None,
}  # fmt: skip
_COPY_ENDING = re.compile(r"(?:/(?:amp|print|printable|printview)|\.amp|\.print)(?=(?:\.html?)?$)", re.IGNORECASE)
_AMP_CACHE = re.compile(r"/(?:amp|[acv])/(?:s/)?([a-z0-9.-]+\.[a-z]{2,}/.+)", re.IGNORECASE)
_COPY_HOST = re.compile(r"^(?:amp|m|mobile|wap|print)\.(?=[^.]+\.[^.]+)")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_-])?|[0-9a-f:.]+", re.IGNORECASE)
_HOME_PATH = re.compile(r"/*(?:(?:home|index\.html?|index\.php|[a-z]{2}(?:[-_][a-z]{2})?)/?)?", re.IGNORECASE)
_INDEX_FILE = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?)$", re.IGNORECASE)


def canonicalize_url(url: str) -> str | None:
    """Give the address that stands for all addresses of the page; None where `url` is no http(s) address.

    Scheme and default port, tracking parameters, order of parameters, fragment, user and password, printer, phone and
    AMP copies, index files and a closing slash do not count. Idempotent.
    """
    for _ in range(8):  # an AMP address may wrap another; each round only ever takes something away
        reduced = _reduce_url(url)
        if reduced is None or reduced == url:
            return reduced
        url = reduced
    return None


def is_same_site(url: str, other: str) -> bool:
    """Tell whether two addresses belong to one registrable domain (news.example.co.uk and www.example.co.uk do)."""
    here, there = site_of(url), site_of(other)
    return here is not None and here == there


def is_home_page(url: str) -> bool:
    """Tell whether an address names a whole site, or a language or edition of it, and no page."""
    split = urlsplit(url)
    return not split.query and _HOME_PATH.fullmatch(split.path) is not None


def choose_canonical(url: str | None, stated: str | None) -> str | None:
    """Choose between the address a page was had by and the one it states for itself (rel=canonical, og:url).

    The stated one stands only if it is of the same site and no home page; without an own address it stands alone.
    """
    own = canonicalize_url(url) if url else None
    claimed = canonicalize_url(urljoin(url or "", stated.strip())) if stated and len(stated) <= MAX_URL_CHARS else None
    if claimed is None or is_home_page(claimed):
        return own
    if own is None:
        return claimed
    return claimed if is_same_site(own, claimed) and not is_home_page(own) else own


def _reduce_url(url: str) -> str | None:
    url = url.strip()
    if len(url) > MAX_URL_CHARS:
        return None
    try:
        split = urlsplit(normalize_url(url, keep_fragments=False, encoding="utf-8"))
        host, port = (split.hostname or "").rstrip(".").encode("idna").decode("ascii"), split.port
    except (ValueError, UnicodeError):
        return None
    if split.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return None
    is_cache = host.endswith("cdn.ampproject.org") or host in ("www.google.com", "google.com")
    if is_cache and (wrapped := _AMP_CACHE.match(split.path)):
        return f"https://{wrapped[1]}"
    host = _COPY_HOST.sub("", host)
    if ":" in host:
        host = f"[{host}]"
    netloc = host if port in (None, 80, 443) else f"{host}:{port}"
    path = _INDEX_FILE.sub("/", _COPY_ENDING.sub("", split.path.rstrip("/"))).rstrip("/")
    kept = [
        (name, value) for name, value in parse_qsl(split.query, keep_blank_values=True) if _is_identity(name, value)
    ]
    return normalize_url(urlunsplit(("https", netloc, path or "/", urlencode(kept), "")), encoding="utf-8")


def _is_identity(name: str, value: str) -> bool:
    if _TRACKING.fullmatch(name):
        return False
    name = name.lower()
    if name not in _COPY_PARAMETERS:
        return True
    values = _COPY_PARAMETERS[name]
    return values is not None and value.lower() not in values


def site_of(url: str) -> str | None:
    """Give the registrable domain of an address, an IP address as it is; None where there is no host."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    if not host:
        return None
    if host[-1].isdigit() or ":" in host:  # an address is its own site
        return host
    # Names outside the public suffix list (intranets, `.example`) stand for their last two labels.
    return extract_domain(url) or ".".join(host.removeprefix("www.").split(".")[-2:])
