"""The site shows every suite in our words, and what failed."""

from datetime import timedelta

from tests.good_batch import TUESDAY, change_first_row, make_tables

from blotter.quality import checks_of
from blotter.quality.data_docs import write_data_docs


def test_the_site_shows_every_suite_and_what_failed(tmp_path) -> None:
    tables = make_tables(change_first_row("links", score=7.5), batch_id="b")
    index = write_data_docs(tables, tmp_path / "site", now=TUESDAY + timedelta(hours=2), references={})
    page = index.read_text(encoding="utf-8")
    for name in tables:
        assert f"expectations/{name}.html" in page
    claims = (tmp_path / "site" / "expectations" / "claims.html").read_text(encoding="utf-8")
    assert all(check.expectation in claims for check in checks_of("claims"))
    [outcome] = (tmp_path / "site" / "validations" / "links").rglob("*.html")
    assert "7.5" in outcome.read_text(encoding="utf-8")


def test_the_site_can_be_written_again(tmp_path) -> None:
    for _ in range(2):
        page = write_data_docs({"links": make_tables()["links"]}, tmp_path, now=TUESDAY, references={})
    assert page.exists()
