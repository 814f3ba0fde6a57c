"""Title, day and author are read off every template that we know."""

import pytest

from clean.builders import clean
from clean.templates import TEMPLATES


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_read_as_a_reader_reads_it(name: str) -> None:
    template = TEMPLATES[name]
    article = clean(template.html, url=template.url)
    assert article.title == template.title
    assert (f"{article.published_at:%Y-%m-%d}", article.published_basis) == (template.day, "page")
    assert template.author is None or article.author == template.author


def test_a_day_is_no_update_no_teaser_and_not_today() -> None:
    html = TEMPLATES["text date"].html.replace("<nav>", '<nav><span class="current-date">March 10, 2024</span>')
    html = html.replace('<p class="date">', '<p class="date">Updated March 10, 2024. ')
    html = html.replace("</main>", '</main><aside><span class="date">March 1, 2024</span></aside>')
    assert f"{clean(html).published_at:%Y-%m-%d}" == "2024-03-09"
