"""Each condition of a rule lets through what fits and holds back what does not; alerts are worded as a person would."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.good_batch import SECOND_TEXT, TUESDAY, make_article, make_change, make_incident, make_participant

from blotter.alert import match_changes
from blotter.alert.match import measure_km, select_changes
from blotter.alert.render import MAX_TOLD, render_message
from blotter.alert.rules import AlertBook, Condition
from blotter.alert.wording import shorten, word_side, word_value
from blotter.model import ChangeCause, ChangeKind, ClaimState, Conflict, LegalStatus, Role
from blotter.model import Condition as Fate
from blotter.store.outbox import Message

KNOWN = ClaimState.KNOWN
LATER = make_incident(
    version=2,
    known_at=TUESDAY + timedelta(hours=1),
    headline="Springfield shooting victim dies",
    n_killed=1,
    n_injured=0,
    n_reports=2,
    county="Sangamon County",
    participants=(make_participant(name="Dana Whitlock", name_state=KNOWN, condition=Fate.KILLED),),
)
NAMED = make_change()
DIED = make_change(
    field="condition", kind=ChangeKind.REVISED, before_state=KNOWN, before="injured", after="killed", quote="She died."
)
TOLL = make_change(
    field="n_killed", kind=ChangeKind.REVISED, participant_id=None, before_state=KNOWN, before=0, after=1
)


def make_book(when: dict | None = None, **rule: object) -> AlertBook:
    # What the sentence says is looked at in test_evidence.py.
    one = {"when": {"evidence": "any", **(when or {})}, "channels": ["log"], **rule}
    return AlertBook.model_validate(
        {"channels": {"log": {"type": "log"}, "file": {"type": "file"}}, "rules": {"r": one}}
    )


def match(book: AlertBook, *changes, incident=LATER, articles=()):
    return match_changes(book, changes=changes, incidents=[incident], articles=articles)


@pytest.mark.parametrize(
    ("fits", "fails"),
    [
        ({"fields": ["name", "age"]}, {"fields": ["age"]}),
        ({"kinds": ["refined"]}, {"kinds": ["added", "retracted"]}),
        ({"causes": ["new_report"]}, {"causes": ["correction"]}),
        ({"states": ["known"]}, {"states": ["withheld", "unknown"]}),
        ({"roles": ["victim"]}, {"roles": ["suspect"]}),
        ({"evidence": "stated"}, {"evidence": "stated", "kinds": ["revised"]}),
        ({"sources": ["herald"]}, {"sources": ["gazette"]}),
        ({"versions": "later"}, {"versions": "new"}),
        ({"types": ["robbery", "shooting"]}, {"types": ["robbery"]}),
        (
            {"places": [{"city": "SPRINGFIELD", "state": "illinois"}]},
            {"places": [{"city": "Springfield", "state": "Ohio"}]},
        ),
        ({"places": [{"state": "Ohio"}, {"county": "Sangamon County"}]}, {"places": [{"neighborhood": "Springfield"}]}),
        (
            {"near": {"latitude": 39.9, "longitude": -89.6, "radius_km": 20}},
            {"near": {"latitude": 41.9, "longitude": -87.6, "radius_km": 200}},
        ),
        ({"words": ["dana whitlock"]}, {"words": ["whit"]}),
        ({"words": ["victim dies"]}, {"words": ["victims", "die"]}),
        ({"min_killed": 1}, {"min_killed": 2}),
        ({"min_injured": 0}, {"min_injured": 1}),
        ({"min_reports": 2}, {"min_reports": 3}),
    ],
)
def test_every_condition_lets_through_what_fits_and_holds_back_the_rest(fits, fails) -> None:
    assert [alert.change_ids for alert in match(make_book(fits), NAMED)] == [(NAMED.change_id,)]
    assert match(make_book(fails), NAMED) == []


def test_every_key_of_a_condition_is_tested_above() -> None:
    tested = {
        key
        for mark in test_every_condition_lets_through_what_fits_and_holds_back_the_rest.pytestmark
        for fits, _ in mark.args[1]
        for key in fits
    }
    assert tested == set(Condition.model_fields)


def test_an_unknown_place_or_count_fits_no_condition_about_it() -> None:
    nowhere = make_incident(version=2, latitude=None, city=None, n_killed=None)
    for when in (
        {"near": {"latitude": 39.8, "longitude": -89.6, "radius_km": 20_000}},
        {"places": [{"city": "Springfield"}]},
        {"min_killed": 0},
    ):
        assert match(make_book(when), NAMED, incident=nowhere) == []


@pytest.mark.parametrize("cause", [ChangeCause.EXTRACTOR_CHANGE, ChangeCause.LINK_CHANGE])
def test_a_newer_reader_or_a_moved_link_alerts_nobody_unless_asked(cause) -> None:
    change = make_change(cause=cause)
    assert match(make_book(), change) == []
    assert len(match(make_book({"causes": [cause.value]}), change)) == 1


def test_all_changes_of_one_version_that_fit_are_one_alert_a_channel() -> None:
    alerts = match(make_book({"fields": ["name", "condition"]}, channels=["log", "file"]), NAMED, DIED, TOLL)
    assert [alert.channel for alert in alerts] == ["log", "file"]
    assert all(set(alert.change_ids) == {NAMED.change_id, DIED.change_id} for alert in alerts)
    assert len({alert.alert_id for alert in alerts}) == 2


def test_ids_do_not_depend_on_the_order_of_changes_and_disabled_rules_are_still() -> None:
    assert match(make_book(), NAMED, DIED) == match(make_book(), DIED, NAMED)
    assert match(make_book(enabled=False), NAMED) == []


def test_versions_of_different_incidents_are_told_apart() -> None:
    other = make_incident(incident_id="inc_other", version=2, city="Peoria")
    change = make_change(incident_id="inc_other")
    alerts = match_changes(make_book(), changes=[NAMED, change], incidents=[LATER, other])
    assert {alert.incident_id for alert in alerts} == {LATER.incident_id, "inc_other"}


@given(st.lists(st.sampled_from([NAMED, DIED, TOLL]), unique=True))
def test_what_is_selected_is_among_what_was_given(changes) -> None:
    assert set(select_changes(Condition(), LATER, changes)) <= set(changes)


def test_distance_is_measured_on_the_globe() -> None:
    assert measure_km(41.88, -87.63, 43.04, -87.91) == pytest.approx(131, abs=2)  # Chicago to Milwaukee
    assert measure_km(0, 179.9, 0, -179.9) == pytest.approx(22, abs=1)
    assert measure_km(90, 0, -90, 0) == pytest.approx(20_015, abs=10)


def tell(*changes, incident=LATER, articles=()) -> dict:
    [alert] = match(make_book(), *changes, incident=incident, articles=articles)
    return dict(alert.content)


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        (NAMED, "victim named as Dana Whitlock"),
        (DIED, "victim Dana Whitlock has died"),
        (make_change(field="condition", after="killed"), "victim Dana Whitlock was killed"),
        (
            make_change(field="age", before_state=KNOWN, before=33, after=34),
            "age of the victim Dana Whitlock: 34, before 33",
        ),
        (TOLL, "dead: 1, before 0"),
        (make_change(field="legal_status", after=LegalStatus.AT_LARGE), "victim Dana Whitlock at large"),
        (
            make_change(
                field="name", kind=ChangeKind.RETRACTED, before="X", after=None, after_state=ClaimState.RETRACTED
            ),
            "name of the victim: retracted, before X (not released)",
        ),
        (
            make_change(field="city", participant_id=None, kind=ChangeKind.MERGED),
            "found to be the same incident as another one",
        ),
        (
            make_change(field="weapon", participant_id=None, kind=ChangeKind.RETRACTED, after=None, after_state=None),
            "weapon no longer stands",
        ),
    ],
)
def test_the_subject_says_what_happened_in_words(change, subject) -> None:
    assert tell(change)["subject"] == f"Springfield, Illinois: {subject}"


def test_the_weightiest_change_comes_first_and_the_rest_is_counted() -> None:
    told = tell(TOLL, DIED, NAMED)
    assert told["subject"].endswith("victim named as Dana Whitlock (and 2 more)")
    assert [change["field"] for change in told["changes"]] == ["name", "condition", "n_killed"]


def test_a_new_incident_is_told_by_its_headline() -> None:
    first = make_incident()
    added = make_change(version=1, known_at=first.known_at, kind=ChangeKind.ADDED)
    assert tell(added, incident=first)["subject"] == "Springfield, Illinois: new shooting: Woman shot in Springfield"


def test_a_change_is_told_with_before_after_quote_source_and_cause() -> None:
    article = make_article(text=SECOND_TEXT, published_at=TUESDAY, source_id="herald")
    quote = SECOND_TEXT.split("\n\n")[1].split(". ")[0] + "."
    [change] = tell(make_change(article_id=article.article_id, quote=quote), articles=[article])["changes"]
    assert change["before"] == "not released" and change["after"] == "Dana Whitlock"
    assert change["quote"] == quote and change["quote"] in article.text
    assert (change["source_id"], change["url"], change["why"]) == ("herald", article.url, "a new report")
    assert change["change_id"] == NAMED.change_id


@pytest.mark.parametrize(
    ("value", "state", "words"),
    [
        (None, None, None),
        (None, ClaimState.WITHHELD, "not released"),
        (None, ClaimState.UNKNOWN, "not known"),
        ("Ann", ClaimState.DISPUTED, "Ann (disputed)"),
        ("Ann", None, "Ann"),
        (0, KNOWN, "0"),
        (("arson", "murder"), KNOWN, "arson, murder"),
    ],
)
def test_each_state_has_its_words(value, state, words) -> None:
    assert word_side("charges", value, state) == words


def test_values_are_worded_without_codes() -> None:
    assert word_value("occurred_date", TUESDAY.date()) == "4 March 2025"
    assert word_value("occurred_at", TUESDAY) == "4 March 2025 18:00"
    assert word_value("incident_type", ("police_use_of_force",)) == "police use of force"
    assert word_value("name", "Under_score") == "Under_score"


def test_a_conflict_is_told_with_what_the_reports_say() -> None:
    conflict = Conflict(participant_id=None, field="n_killed", values=("2", "3"), source_ids=("herald", "gazette"))
    incident = make_incident(version=2, n_killed=2, conflicts=(conflict,))
    opened = make_change(
        field="n_killed", participant_id=None, kind=ChangeKind.CONFLICT_OPENED, before_state=KNOWN, before=2, after=2
    )
    told = tell(opened, incident=incident)
    assert told["subject"] == "Springfield, Illinois: dead: reports disagree: 2 or 3"
    assert told["changes"][0]["before"] is None, "what it was is not told as if it had moved"


def test_who_came_in_later_may_or_may_not_be_another_person() -> None:
    second = make_participant(participant_id="par_2", role=Role.VICTIM)
    incident = make_incident(version=2, participants=(make_participant(), second))
    came = {"participant_id": "par_2", "kind": ChangeKind.ADDED, "before_state": None}
    role, age = make_change(**came, field="role", after="victim"), make_change(**came, field="age", after=10)
    fate = make_change(**came, field="condition", after="injured")
    [alert] = match(make_book({"fields": ["age", "condition"]}), role, age, fate, incident=incident)
    assert [change["what"] for change in alert.content["changes"]] == ["condition of a victim", "age of a victim"]
    assert alert.content["subject"].endswith("a victim injured (and 1 more)")


def test_the_age_alone_of_somebody_new_tells_nobody_who_that_is() -> None:
    second = make_participant(participant_id="par_2", role=Role.VICTIM)
    named = make_participant(participant_id="par_2", role=Role.VICTIM, name="Ed Roe", name_state=KNOWN)
    came = {"participant_id": "par_2", "kind": ChangeKind.ADDED, "before_state": None}
    role, age = make_change(**came, field="role", after="victim"), make_change(**came, field="age", after=10)
    for person, n_alerts in ((second, 0), (named, 1)):
        incident = make_incident(version=2, participants=(make_participant(), person))
        assert len(match(make_book({"fields": ["age"]}), role, age, incident=incident)) == n_alerts


def test_a_day_is_told_without_a_clock_time() -> None:
    article = make_article(text=SECOND_TEXT, published_at=TUESDAY, published_precision="day")
    change = make_change(article_id=article.article_id)
    assert tell(change, articles=[article])["changes"][0]["published"] == "4 March 2025"
    assert tell(change)["changes"][0]["published"] == "4 March 2025, 18:00 UTC"


@given(st.text(max_size=400), st.integers(20, 200))
def test_a_line_is_cut_to_its_length(text, most) -> None:
    assert len(shorten(text, most)) <= most
    assert shorten(text, most) == text or shorten(text, most).endswith("…")


def test_a_long_headline_does_not_make_a_long_subject() -> None:
    first = make_incident(headline="very " * 100)
    added = make_change(version=1, known_at=first.known_at, kind=ChangeKind.ADDED)
    assert len(tell(added, incident=first)["subject"]) <= 160


def test_one_sentence_is_quoted_once_and_what_only_machines_need_is_left_to_the_json_form() -> None:
    died = replace(DIED, quote=NAMED.quote)
    latitude = make_change(field="latitude", participant_id=None, after=39.8)
    settled = make_change(field="condition", kind=ChangeKind.CONFLICT_SETTLED, before_state=KNOWN, before="killed",
                          after="killed")  # fmt: skip
    [alert] = match(make_book(), NAMED, died, settled, latitude)
    rendered = render_message(make_message(alert))
    for form in (rendered.text, rendered.html):
        assert form.count(str(NAMED.quote)) == 1
        assert form.count("condition of") == 1 and "reports agree again" in form
        assert "latitude" not in form
    assert "latitude" in rendered.json


def make_message(*alerts) -> Message:
    return Message(message_id="alr_1", rule="r", channel="log", alerts=tuple(alerts), attempt=1, folded_at=TUESDAY)


HOSTILE = "<script>alert('x')</script> {{ 7*7 }} \x00\x1b[31m‮ \r\nBcc: a@b"


def test_nothing_from_outside_is_markup_template_or_header() -> None:
    incident = make_incident(version=2, headline=HOSTILE, city=HOSTILE)
    article = make_article(text=SECOND_TEXT, url="javascript:alert(1)")
    change = make_change(after=HOSTILE, quote=HOSTILE, source_id=HOSTILE, article_id=article.article_id)
    [alert] = match(make_book(description="<i>mine</i>"), change, incident=incident, articles=[article])
    rendered = render_message(make_message(alert))
    assert "<script>" not in rendered.html and "&lt;script&gt;" in rendered.html
    assert "<i>" not in rendered.html and 'href="javascript' not in rendered.html
    assert "{{ 7*7 }}" in rendered.text and "49" not in rendered.subject
    assert "\n" not in rendered.subject and "\r" not in rendered.subject
    for form in (rendered.subject, rendered.text, rendered.html, rendered.json):
        assert not any(mark in form for mark in ("\x00", "\x1b", "‮"))


def test_all_forms_tell_the_same() -> None:
    [alert] = match(make_book(description="Who was it?"), NAMED, DIED)
    rendered = render_message(make_message(alert))
    assert json.loads(rendered.json) == rendered.payload
    for form in (rendered.text, rendered.html):
        for words in (
            "Dana Whitlock",
            "not released",
            "killed",
            "injured",
            "She died.",
            "herald",
            "a new report",
            "Who was it?",
            "alr_1",
            LATER.incident_id,
            "1200 block of East Adams Street",
        ):
            assert words in form


def test_a_digest_counts_in_its_subject_and_is_cut_only_for_people() -> None:
    alerts = []
    for n in range(MAX_TOLD + 5):
        incident = make_incident(incident_id=f"inc_{n}", version=1 if n < 2 else 2)
        [alert] = match(make_book(), make_change(incident_id=f"inc_{n}", version=incident.version), incident=incident)
        alerts.append(alert)
    rendered = render_message(make_message(*alerts))
    assert rendered.subject == "55 changes in 55 incidents, 2 of them new"
    assert "And 5 more" in rendered.text and "And 5 more" in rendered.html
    assert len(rendered.payload["incidents"]) == 55


def test_roles_have_words_of_their_own() -> None:
    officer = make_participant(role=Role.OFFICER_INVOLVED, name=None)
    incident = make_incident(version=2, participants=(officer,))
    assert (
        tell(make_change(field="age", after=40), incident=incident)["changes"][0]["what"]
        == "age of the officer involved"
    )


def test_whoever_is_victim_to_one_report_and_suspect_to_another_is_told_as_neither() -> None:
    dana = LATER.participants[0].participant_id
    conflict = Conflict(participant_id=dana, field="role", values=("suspect", "victim"), source_ids=("a", "b"))
    unsettled = replace(LATER, conflicts=(conflict,))
    assert match(make_book({"roles": ["victim"]}), DIED)
    assert not match(make_book({"roles": ["victim"]}), DIED, incident=unsettled)
    [alert] = match(make_book(), DIED, incident=unsettled)
    [told] = alert.content["changes"]
    assert told["who"] == "Dana Whitlock" and told["what"] == "condition of Dana Whitlock"
