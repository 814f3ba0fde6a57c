"""Pages of many templates, written for this project, with the title, day and author that a reader sees on them.

Belongs here: the ways in which publishers say these three. Does not belong here: walls and broken markup (`test_clean`,
`test_poison`). `bench/clean.py` measures the same pages beside trafilatura.
"""

# ruff: noqa: E501  (markup reads best whole)

import json
from dataclasses import dataclass

from clean.builders import STORY

TITLE, DAY = "Warehouse burns on Dock Street", "2024-03-09"
PARAGRAPHS = f"<p>{STORY}</p>" * 4
STATED = {"@type": "NewsArticle", "headline": TITLE, "datePublished": "2024-03-09T08:30:00-05:00"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One page and what is known of it; an author of None is not asked for."""

    html: str
    title: str
    day: str
    author: str | None
    url: str | None


def page(head: str = "", top: str = "", *, h1: str = f"<h1>{TITLE}</h1>", lang: str = "en", after: str = "") -> str:
    return (
        f'<!doctype html><html lang="{lang}"><head>{head}</head><body><header><nav><a href="/">Home</a></nav></header>'
        f"<main><article>{h1}{top}{PARAGRAPHS}</article></main>{after}</body></html>"
    )


def ld(stated: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(stated)}</script>'


TEMPLATES: dict[str, Template] = {}


def add(
    name: str, html: str, *, title: str = TITLE, date: str = DAY, author: str | None = None, url: str | None = None
) -> None:
    TEMPLATES[name] = Template(html=html, title=title, day=date, author=author, url=url)


add(
    "graph",
    page(
        ld(
            {
                "@context": "https://schema.org",
                "@graph": [
                    {"@type": "WebSite", "name": "Courier"},
                    {**STATED, "author": {"@id": "#ana"}},
                    {"@type": "Person", "@id": "#ana", "name": "Ana Ruiz"},
                ],
            }
        )
    ),
    author="Ana Ruiz",
)
add("list", page(ld([{"@type": "BreadcrumbList"}, STATED])))
add("type list", page(ld({**STATED, "@type": ["Article", "NewsArticle"]})))
add("mainEntity", page(ld({"@type": "WebPage", "mainEntity": STATED})))
add(
    "two articles related first",
    page(
        ld(
            {
                "@type": "ItemList",
                "itemListElement": [
                    {
                        "@type": "ListItem",
                        "item": {"@type": "NewsArticle", "headline": "Other", "datePublished": "2020-01-01"},
                    }
                ],
            }
        )
        + ld(STATED)
    ),
)
add("webpage date only", page(ld({"@type": "WebPage", "name": TITLE, "datePublished": "2024-03-09T08:30:00Z"})))
add(
    "html entities in ld",
    page(ld({**STATED, "headline": "Warehouse &amp; pier burn"}), h1="<h1>Warehouse &amp; pier burn</h1>"),
    title="Warehouse & pier burn",
)
add(
    "og only",
    page(
        f'<meta property="og:title" content="{TITLE}"><meta property="article:published_time" content="2024-03-09T08:30:00+0000">'
    ),
)
add(
    "og site suffix",
    page(
        f'<meta property="og:title" content="{TITLE} - The Courier"><meta property="og:site_name" content="The Courier"><meta property="article:published_time" content="2024-03-09T08:30:00+0000">'
    ),
)
add(
    "title tag suffix domain",
    page(f'<title>{TITLE} | courier.example</title><meta name="date" content="2024-03-09">', h1=f"<h2>{TITLE}</h2>"),
)
add(
    "microdata",
    page(
        "",
        '<span itemprop="author" itemscope><span itemprop="name">Ana Ruiz</span></span><meta itemprop="datePublished" content="2024-03-09T08:30:00Z">',
        h1=f'<h1 itemprop="headline">{TITLE}</h1>',
    ),
    author="Ana Ruiz",
)
add("time in microdata", page("", '<time itemprop="datePublished" datetime="2024-03-09T08:30:00Z">March 9</time>'))
add("time plain in article", page("", '<time datetime="2024-03-09T08:30:00Z">March 9, 2024</time>'))
add(
    "time plain + related times",
    page(
        "",
        '<div class="meta"><time datetime="2024-03-09T08:30:00Z">March 9, 2024</time></div>',
        after='<aside><time datetime="2024-03-10T01:00:00Z">1h ago</time><time datetime="2023-01-10T01:00:00Z">old</time></aside>',
    ),
)
add(
    "related before",
    page("", '<time datetime="2024-03-09T08:30:00Z">March 9, 2024</time>').replace(
        "<header>", '<header><div class="latest"><time datetime="2024-03-10T01:00:00Z">now</time></div>'
    ),
)
add("text date", page("", '<p class="date">Published March 9, 2024 at 8:30 a.m. EST</p>'))
add("text date updated first", page("", '<p class="date">Updated March 10, 2024. Published March 9, 2024</p>'))
add("us slashes", page("", '<span class="date">03/09/2024</span>'))
add("evening west coast", page(ld({**STATED, "datePublished": "2024-03-09T20:30:00-08:00"})), date="2024-03-10")
add("date only", page(ld({**STATED, "datePublished": "2024-03-09"})))
add("spanish", page("", '<span class="fecha">9 de marzo de 2024</span>', lang="es"))
add("german", page("", '<span class="datum">9. März 2024, 08:30 Uhr</span>', lang="de"))
add("french", page("", '<span class="date">Publié le 9 mars 2024 à 8h30</span>', lang="fr"))
add("portuguese", page("", '<span class="data">9 de março de 2024 às 8h30</span>', lang="pt"))
add("italian", page("", '<span class="data">9 marzo 2024</span>', lang="it"))
add("meta spanish", page('<meta name="date" content="9 de marzo de 2024">', lang="es"))
add("meta rfc822", page('<meta name="pubdate" content="Sat, 09 Mar 2024 08:30:00 -0500">'))
add("meta epoch ms", page('<meta name="publish-date" content="1709991000000">'))
add("ld java date", page(ld({**STATED, "datePublished": "Sat Mar 09 08:30:00 EST 2024"})))
add("ld us date", page(ld({**STATED, "datePublished": "March 9, 2024 8:30 AM"})))
add("ld dotted", page(ld({**STATED, "datePublished": "09.03.2024 08:30"})), date="2024-03-09")
add("ld with micro z", page(ld({**STATED, "datePublished": "2024-03-09T08:30:00.123456789Z"})))
add("ld with space tz", page(ld({**STATED, "datePublished": "2024-03-09 08:30:00 -0500"})))
add("ld created only", page(ld({"@type": "NewsArticle", "headline": TITLE, "dateCreated": "2024-03-09T08:30:00Z"})))
add(
    "ld modified only",
    page(ld({"@type": "NewsArticle", "headline": TITLE, "dateModified": "2024-03-09T08:30:00Z"})),
)
add("url", page(), url="https://courier.example/2024/03/09/warehouse")
add(
    "broken ld trailing comma",
    page(
        '<script type="application/ld+json">{"@type":"NewsArticle","headline":"'
        + TITLE
        + '","datePublished":"2024-03-09T08:30:00Z",}</script>'
    ),
)
add(
    "ld raw newlines",
    page(
        '<script type="application/ld+json">{"@type":"NewsArticle","headline":"'
        + TITLE
        + '",\n"description":"a\nb","datePublished":"2024-03-09T08:30:00Z"}</script>'
    ),
)
add("ld cdata", page('<script type="application/ld+json">\n//<![CDATA[\n' + json.dumps(STATED) + "\n//]]>\n</script>"))
add("ld upper key NewsArticle url", page(ld({**STATED, "@type": "http://schema.org/NewsArticle"})))
add(
    "video object",
    page(
        ld({"@type": "VideoObject", "name": "Video", "uploadDate": "2020-01-01"})
        + f'<meta property="og:title" content="{TITLE}"><meta property="article:published_time" content="2024-03-09T08:30:00Z">'
    ),
)
add("headline shorter in ld", page(ld({**STATED, "headline": "Warehouse burns on Dock…"}), h1=f"<h1>{TITLE}</h1>"))
add(
    "two h1 logo",
    page('<meta name="date" content="2024-03-09">').replace("<header>", '<header><h1 class="logo">The Courier</h1>'),
)
add(
    "ld headline seo vs h1",
    page(ld({**STATED, "headline": "Dock Street fire: what we know"})),
    title="Dock Street fire: what we know",
)
add(
    "parsely",
    page(
        f'<meta name="parsely-title" content="{TITLE}"><meta name="parsely-pub-date" content="2024-03-09T08:30:00Z"><meta name="parsely-author" content="Ana Ruiz">'
    ),
    author="Ana Ruiz",
)
add(
    "author list ld",
    page(ld({**STATED, "author": [{"@type": "Person", "name": "Ana Ruiz"}, {"@type": "Person", "name": "Bo Lee"}]})),
    author="Ana Ruiz; Bo Lee",
)
add(
    "author org + byline",
    page(
        ld({**STATED, "author": {"@type": "Organization", "name": "The Courier"}}),
        '<div class="byline">By <a rel="author">Ana Ruiz</a></div>',
    ),
    author="Ana Ruiz",
)
add(
    "author url meta",
    page(
        '<meta property="article:author" content="https://facebook.com/ana"><meta name="date" content="2024-03-09">',
        '<div class="byline">By Ana Ruiz</div>',
    ),
    author="Ana Ruiz",
)
add(
    "author email",
    page('<meta name="author" content="Ana Ruiz, aruiz@courier.example"><meta name="date" content="2024-03-09">'),
    author="Ana Ruiz",
)
add(
    "author caps",
    page('<meta name="date" content="2024-03-09">', '<p class="byline">BY ANA RUIZ</p>'),
    author="ANA RUIZ",
)
add(
    "author staff",
    page('<meta name="author" content="By Ana Ruiz | Staff Writer"><meta name="date" content="2024-03-09">'),
    author="Ana Ruiz",
)
