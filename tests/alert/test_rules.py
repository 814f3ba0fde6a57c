"""The rules' file says what is wrong with it, and when an alert is due."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blotter.alert.rules import AlertBook, Delivery, Rule, find_due_time, load_rules
from blotter.errors import SettingsError
from blotter.model import ChangeCause

REPOSITORY = Path(__file__).parents[2]
CHICAGO = "America/Chicago"


def make_rule(**given: object) -> Rule:
    return Rule.model_validate({"channels": ["log"], **given})


def write_rules(folder: Path, text: str) -> Path:
    path = folder / "alerts.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_rules_that_come_with_blotter_hold() -> None:
    book = load_rules(REPOSITORY / "include" / "alerts.yaml")
    assert {"victim-identified", "toll", "suspect"} <= set(book.rules)
    assert all(rule.description for rule in book.rules.values())


def test_a_better_reader_and_a_moved_link_are_no_news_by_default() -> None:
    causes = make_rule().when.causes
    assert set(ChangeCause) - set(causes) == {ChangeCause.EXTRACTOR_CHANGE, ChangeCause.LINK_CHANGE}
    asked = make_rule(when={"causes": ["extractor_change"]})
    assert asked.when.causes == (ChangeCause.EXTRACTOR_CHANGE,)


LOG = "channels: {log: {type: log}}\n"


@pytest.mark.parametrize(
    ("text", "where", "expected"),
    [
        ("channels: [", "alerts.yaml", "valid YAML"),
        ("just words", "alerts.yaml", "`channels` and `rules`"),
        ("rules: {}", "channels", "Field required"),
        (LOG + "rules: {a: {channels: []}}", "rules.a.channels", "at least 1"),
        (LOG + "rules: {a: {channels: [pager]}}", "alerts.yaml", "names under `channels`, got pager"),
        (LOG + "rules: {a: {channels: [log], whn: {}}}", "rules.a.whn", "a key that exists"),
        (LOG + "rules: {a: {channels: [log], when: {fields: [nam]}}}", "rules.a.when.fields.0", "a field that can be"),
        (LOG + "rules: {a: {channels: [log], when: {types: [murder]}}}", "rules.a.when.types.0", "a type of incident"),
        (LOG + "rules: {a: {channels: [log], when: {kinds: [changed]}}}", "rules.a.when.kinds.0", "'added'"),
        (LOG + "rules: {a: {channels: [log], when: {places: [{}]}}}", "rules.a.when.places.0", "at least one of"),
        (
            LOG + "rules: {a: {channels: [log], when: {near: {latitude: 91, longitude: 0, radius_km: 5}}}}",
            "rules.a.when.near.latitude",
            "less than or equal to 90",
        ),
        (LOG + "rules: {a: {channels: [log], time_zone: Chicago}}", "rules.a.time_zone", "IANA time zone"),
        (LOG + "rules: {a: {channels: [log], quiet: {from: 9:00, until: 9:00}}}", "rules.a.quiet", "that differ"),
        (LOG + "rules: {A b: {channels: [log]}}", "rules.A b", "pattern"),
        (LOG + "rules: {a: {channels: [log]}, a: {channels: [log]}}", "alerts.yaml", "a is given twice"),
        ("channels: {m: {type: pigeon}}\nrules: {}", "channels.m", "expected tags"),
        ("channels: {m: {type: mail, host: h, from: a@b, to: []}}\nrules: {}", "channels.m.mail.to", "at least 1"),
        (
            "channels: {m: {type: mail, host: h, from: 'a@b\\nBcc: c@d', to: [a@b]}}\nrules: {}",
            "channels.m.mail.from",
            "pattern",
        ),
        (
            "channels: {m: {type: mail, host: h, from: a@b, to: [a@b], user: u}}\nrules: {}",
            "channels.m.mail",
            "`user` and `password_env` together",
        ),
        (
            "channels: {m: {type: mail, host: h, security: none, from: a@b, to: [a@b], user: u, password_env: P}}\n"
            "rules: {}",
            "channels.m.mail",
            "starttls or tls where a password",
        ),
        ("channels: {w: {type: webhook, secret_env: S}}\nrules: {}", "channels.w.webhook", "either `url` or `url_env`"),
        (LOG + "rules: {}\nrecord_url: https://x/", "record_url", "pattern"),
    ],
)
def test_a_file_that_cannot_work_is_told_with_file_key_and_expectation(tmp_path, text, where, expected) -> None:
    with pytest.raises(SettingsError) as caught:
        load_rules(write_rules(tmp_path, text))
    assert "alerts.yaml" in caught.value.where and where in caught.value.where
    assert expected in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path) -> None:
    with pytest.raises(SettingsError, match="a readable file"):
        load_rules(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00rules")
    with pytest.raises(SettingsError, match="valid YAML"):
        load_rules(tmp_path / "binary.yaml")


@given(st.binary(max_size=200))
def test_any_bytes_are_rules_or_a_settings_error(tmp_path_factory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("rules") / "alerts.yaml"
    path.write_bytes(content)
    try:
        assert isinstance(load_rules(path), AlertBook)
    except SettingsError as told:
        assert str(path) in str(told)


def test_times_may_stand_without_quotes() -> None:
    quiet = make_rule(quiet={"from": 22 * 60, "until": "07:00"}).quiet
    assert quiet is not None and (quiet.start.hour, quiet.until.hour) == (22, 7)


NOON = datetime(2025, 3, 4, 12, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "due_at"),
    [
        ({}, NOON),
        ({"deliver": "hourly"}, datetime(2025, 3, 4, 13, tzinfo=UTC)),
        ({"deliver": "daily"}, datetime(2025, 3, 5, 8, tzinfo=UTC)),
        ({"deliver": "daily", "at": "13:00"}, datetime(2025, 3, 4, 13, tzinfo=UTC)),
        ({"deliver": "daily", "at": "07:00", "time_zone": CHICAGO}, datetime(2025, 3, 4, 13, tzinfo=UTC)),
        ({"quiet": {"from": "12:00", "until": "14:00"}}, datetime(2025, 3, 4, 14, tzinfo=UTC)),
        ({"quiet": {"from": "12:21", "until": "14:00"}}, NOON),
        ({"quiet": {"from": "22:00", "until": "12:30"}}, datetime(2025, 3, 4, 12, 30, tzinfo=UTC)),
        (
            {"quiet": {"from": "22:00", "until": "07:00", "time_zone": CHICAGO}},
            datetime(2025, 3, 4, 13, tzinfo=UTC),
        ),
        (
            {"deliver": "hourly", "quiet": {"from": "12:30", "until": "15:00"}},
            datetime(2025, 3, 4, 15, tzinfo=UTC),
        ),
    ],
)
def test_an_alert_is_due_at_once_with_its_digest_or_after_the_quiet(given, due_at) -> None:
    assert find_due_time(make_rule(**given), NOON) == due_at


def test_a_clock_time_that_a_zone_skips_is_passed() -> None:
    """02:30 does not exist in Chicago on 9 March 2025: the digest comes as clocks go on."""
    night = datetime(2025, 3, 9, 6, 0, tzinfo=UTC)  # midnight there
    due_at = find_due_time(make_rule(deliver="daily", at="02:30", time_zone=CHICAGO), night)
    assert night < due_at <= datetime(2025, 3, 9, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("known", "due"),
    [("06:15", "06:30"), ("06:45", "06:45"), ("07:15", "07:30"), ("07:45", "07:45"), ("04:00", "06:30")],
)
def test_quiet_hours_end_twice_on_the_night_when_clocks_are_put_back(known: str, due: str) -> None:
    """01:15 comes twice in Chicago on 2 November 2025; what is known at the second one does not wait for a day."""
    rule = make_rule(quiet={"from": "22:00", "until": "01:30", "time_zone": CHICAGO})
    night = "2025-11-02T{}:00+00:00"
    assert find_due_time(rule, datetime.fromisoformat(night.format(known))) == datetime.fromisoformat(night.format(due))


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(list(Delivery)),
    st.times(),
    st.times(),
    st.sampled_from(["UTC", CHICAGO, "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"]),
)
def test_nothing_is_due_before_it_is_known_later_than_two_days_or_in_the_quiet(at, deliver, start, until, zone) -> None:
    if start == until:
        return
    quiet = {"from": start.isoformat(), "until": until.isoformat(), "time_zone": zone}
    rule = make_rule(deliver=deliver.value, time_zone=zone, quiet=quiet)
    due_at = find_due_time(rule, at)
    assert at <= due_at and (due_at - at).total_seconds() <= 2 * 86_400 + 7_200
    assert find_due_time(make_rule(quiet=quiet), due_at) == due_at
