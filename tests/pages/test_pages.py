"""What the pages show of a newsroom, and that what people do on them reaches the tables."""

import json
import re
from html import unescape

import pytest
from tests.pages.newsroom import SCRIPT, build, make_settings
from tests.pages.test_access import list_forms


def read_text(page: str) -> str:
    """A page as a reader sees it: without tags, spaces run together."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def find_incident(site, words: str) -> str:
    """The address of the one incident that a search finds."""
    found = re.findall(r'<h2 id="i-\d+"><a href="/blotter([^"]+)"', site.vera.get("/", params={"words": words}).text)
    assert len(found) == 1
    return str(found[0])


def test_what_changed_last_comes_first(site) -> None:
    page = read_text(site.vera.get("/").text)
    headlines = ("Second house burned", "Woman", "Cyclist struck")
    places = [page.index(headline) for headline in headlines]
    assert places == sorted(places)
    assert "4 incidents" in page


@pytest.mark.parametrize(
    ("asked", "headlines"),
    [
        ({"words": "whitlock"}, {"East Cook Street"}),
        ({"words": "WHITL*"}, {"East Cook Street"}),
        ({"words": "fires"}, {"Two killed in Alder Street fire", "Second house"}),
        ({"place": "Ohio"}, {"Two killed in Alder Street fire", "Second house"}),
        ({"place": "iowa", "words": "cyclist"}, {"Cyclist"}),
        ({"type": "shooting"}, {"East Cook Street"}),
        ({"happened": "2026-03-02", "place": "halford"}, {"Two killed in Alder Street fire"}),
        ({"changed": "2026-03-03"}, {"East Cook Street"}),
        ({"words": "nothing of the kind"}, set()),
        ({"words": '" OR 1=1 -- *'}, set()),
    ],
)
def test_a_search_finds_what_fits_and_nothing_else(site, asked: dict[str, str], headlines: set[str]) -> None:
    page = site.vera.get("/", params=asked).text
    found = [unescape(title) for title in re.findall(r'<h2 id="i-\d+"><a [^>]+>([^<]*)</a>', page)]
    assert len(found) == len(headlines)
    assert all(any(part in title for title in found) for part in headlines)
    listed = site.vera.get("/incidents.json", params=asked).json()
    assert [row["headline"] for row in listed["rows"]] == found


def test_a_day_that_is_none_is_told_and_left_out(site) -> None:
    page = read_text(site.vera.get("/", params={"happened": "yesterday"}).text)
    assert "'yesterday' is no day" in page
    assert "4 incidents" in page
    assert site.vera.get("/incidents.json", params={"happened": "yesterday"}).status_code == 422


def test_a_question_without_a_word_is_told_and_left_out(site) -> None:
    page = read_text(site.vera.get("/", params={"words": "?!", "place": "iowa"}).text)
    assert "'?!' holds no word" in page
    assert "1 incident" in page
    assert site.vera.get("/incidents.json", params={"words": "?!"}).status_code == 422


def test_an_address_that_cannot_be_read_is_told_on_a_page_or_as_json(site) -> None:
    asked = {"params": {"before": "soon"}}
    answer = site.vera.get("/", headers={"Accept": "text/html"}, **asked)
    assert answer.status_code == 422
    assert "before: Input should be a valid integer" in read_text(answer.text)
    assert site.vera.get("/", headers={"Accept": "application/json"}, **asked).json()["detail"]


def test_a_headline_with_a_script_is_text(site) -> None:
    incident = find_incident(site, "cyclist")
    for path in ("/", incident, incident + "?version=1"):
        page = site.vera.get(path).text
        assert SCRIPT not in page
        assert "&lt;script&gt;document.title=" in page
    assert "Halford &lt;Bee&gt;" in site.vera.get("/sources").text
    assert json.loads(site.vera.get(incident + ".json").text)["record"]["headline"].endswith(SCRIPT)


def test_an_incident_tells_what_became_known_when_and_who_says_so(site) -> None:
    page = site.vera.get(find_incident(site, "whitlock")).text
    text = read_text(page)
    assert text.index("Tue 3 Mar 2026, 23:59 UTC version 2") < text.index("Mon 2 Mar 2026, 23:59 UTC version 1")
    assert re.search(r"name : not released → became Dana Whitlock", text)
    assert "Dana Whitlock, 34, was the woman who was shot and killed" in text
    (mark,) = set(
        re.findall(r'<dd>\s*<span class="value state-known">Dana Whitlock</span>.*?href="#([^"]+)"', page, re.S)
    )
    assert f'<mark id="{mark}">' in page


def test_an_incident_as_of_a_moment_shows_nothing_that_was_learnt_later(site) -> None:
    incident = find_incident(site, "whitlock")
    for asked in ({"version": "1"}, {"as_of": "2026-03-03T12:00"}, {"as_of": "2026-03-03T14:00+02:00"}):
        page = read_text(site.vera.get(incident, params=asked).text)
        assert "You see what was known on" in page
        assert "Whitlock" not in page
        assert "name not released" in page
        told = site.vera.get(incident + ".json", params=asked).json()
        assert told["record"]["version"] == 1
        assert not told["is_newest"]
        assert all(change["version"] == 1 for change in told["changes"])
    assert site.vera.get(incident, params={"as_of": "1999-01-01"}).status_code == 200  # as it was known first
    assert site.vera.get(incident, params={"as_of": "soon"}).status_code == 422
    assert site.vera.get(incident, params={"version": "99"}).status_code == 200


def test_what_is_not_known_is_said(site) -> None:
    page = read_text(site.vera.get(find_incident(site, "cyclist")).text)
    assert "no article says" in page
    assert "one independent report only" in page
    assert "No article names a place that the gazetteer knows" in page
    assert "name not given by any article" in page


def test_an_incident_that_is_not_there_is_not_found(site) -> None:
    for path in ("/incidents/inc_none", "/incidents/inc_none.json", "/quarantine/none", "/static/app.py"):
        assert site.vera.get(path).status_code == 404
    assert site.vera.get("/incidents/%2e%2e%2fetc").status_code == 404


def test_the_bytes_of_a_quarantined_input_are_shown_as_text(site) -> None:
    listed = site.vera.get("/quarantine").text
    (address,) = set(re.findall(r'href="/blotter(/quarantine/inp_[^"]+)"', listed))
    page = site.vera.get(address).text
    assert "malformed" in page
    assert "<b>broken" not in page
    assert "&lt;b&gt;broken" in page


def test_a_replay_comes_in_again_and_shows_what_became_of_it(own_site) -> None:
    site, home = own_site
    (address,) = set(re.findall(r'href="/blotter(/quarantine/inp_[^"]+)"', site.olga.get("/quarantine").text))
    (form,) = list_forms(site.olga.get(address).text)
    sent = site.olga.post(f"{address}/replay", data=form)
    assert sent.status_code == 303
    assert "waits for the next build" in read_text(site.olga.get(address).text)
    assert "waits for the next build" in read_text(site.olga.get("/quarantine").text)
    again = site.olga.post(f"{address}/replay", data=form)
    assert again.status_code == 409
    assert "already" in read_text(again.text)
    build(make_settings(home), "after")
    assert "replayed as" in read_text(site.olga.get(address).text)
    assert "replayed: quarantined" in read_text(site.olga.get("/quarantine", params={"all": "1"}).text)


@pytest.mark.parametrize("action", ["merge", "link", "unlink"])
def test_an_unsure_link_is_judged(own_site, action: str) -> None:
    site, home = own_site
    incident = find_incident(site, "two killed alder")
    page = site.olga.get("/review").text
    assert "1 unsure link." in read_text(page)
    (form,) = list_forms(page)
    assert site.olga.post("/judge", data={**form, "action": action, "reason": ""}).status_code == 409
    sent = site.olga.post("/judge", data={**form, "action": action, "reason": "read <both>"})
    assert sent.status_code == 303
    page = read_text(site.olga.get("/review").text)
    assert "Waiting for the next build" in page
    assert "by olga: read <both>" in page
    assert "Judged; it waits for the next build." in page
    assert list_forms(site.olga.get("/review").text) == []
    build(make_settings(home), "after")
    assert "Nothing waits for a person" in read_text(site.olga.get("/review").text)
    told = site.olga.get(incident + ".json").json()
    sure = {report["article"]["title"] for report in told["reports"] if report["link"]["verdict"] == "positive"}
    assert ("Second house burned on Alder Street" in sure) == (action != "unlink")


def test_a_value_is_set_and_what_articles_say_stays_beside_it(own_site) -> None:
    site, home = own_site
    incident = find_incident(site, "whitlock")
    form = list_forms(site.olga.get(incident).text)[0]
    given = {"token": form["token"], "back": "incident", "incident_id": incident.rpartition("/")[2], "action": "set"}
    refused = site.olga.post("/judge", data={**given, "field": "n_killed", "value": "many", "reason": "x"})
    assert refused.status_code == 409
    assert "no value of n_killed" in read_text(refused.text)
    assert site.olga.post("/judge", data={**given, "field": "n_killed", "value": "2", "reason": "x"}).status_code == 303
    build(make_settings(home), "after")
    page = read_text(site.olga.get(incident).text)
    assert "killed 2 decided by a person" in page
    assert "a person decided so" in page


def test_the_pages_say_so_before_anything_was_published(server, tmp_path, monkeypatch) -> None:
    from tests.pages.conftest import _serve

    for site in _serve(server, tmp_path, monkeypatch):
        for path in ("/", "/quarantine", "/review", "/sources"):
            answer = site.vera.get(path)
            assert answer.status_code in (200, 503), path
        assert "published" in site.vera.get("/").text or "blotter init" in site.vera.get("/").text


def test_an_incident_is_shown_on_a_leap_day_too(site, monkeypatch) -> None:
    monkeypatch.setenv("BLOTTER_CLOCK", "2028-02-29T12:00:00+00:00")
    incident = find_incident(site, "whitlock")
    assert site.vera.get(incident).status_code == 200
    assert site.vera.get(incident + ".json").json()["is_newest"]


def test_the_pages_say_that_they_cannot_read_an_object_store(site, monkeypatch) -> None:
    """An empty list would say that nothing has been published."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("BLOTTER_WAREHOUSE", "s3://bucket/warehouse")
        answer = site.vera.get("/")
    assert answer.status_code == 503
    assert "cannot read an object store" in read_text(answer.text)


def test_a_replay_of_what_is_not_there_is_not_found(site) -> None:
    token = list_forms(site.olga.get("/review").text)[0]["token"]
    answer = site.olga.post("/quarantine/in_none/replay", data={"token": token})
    assert answer.status_code == 404
    assert "No quarantined input is called in_none" in read_text(answer.text)
