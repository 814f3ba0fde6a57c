"""A source's file that does not hold says which file, which key and what was expected."""

from pathlib import Path

import pytest

from blotter.errors import SettingsError
from blotter.sources import load_sources

GOOD = """
name: Harbor Courier
homepage: https://www.harborcourier.example/
country: US
time_zone: America/New_York
feeds:
  - url: https://www.harborcourier.example/feed.xml
    interval_s: 900
"""


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_sources_are_read_by_id(tmp_path: Path) -> None:
    write(tmp_path, "harbor-courier.yaml", GOOD)
    write(tmp_path, "police-desk.yaml", "name: Police desk\n")
    write(tmp_path, "README.md", "no source")
    sources = load_sources(tmp_path)
    assert list(sources) == ["harbor-courier", "police-desk"]
    assert sources["harbor-courier"].feeds[0].interval_s == 900
    assert sources["police-desk"].feeds == ()


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("feeds: []", "name", "required"),
        ("name: x\nfeed: y", "feed", "one of the keys"),
        ("name: x\nfeeds: [{url: 'ftp://a.example/'}]", "feeds.0.url", "http or https"),
        ("name: x\nfeeds: [{url: 'http://me:secret@a.example/'}]", "feeds.0.url", "without user and password"),
        ("name: x\nfeeds: [{url: 'http://a.example/', every: 5}]", "feeds.0.every", "one of the keys url"),
        (
            "name: x\nfeeds: [{url: 'http://a.example/', interval_s: 1}]",
            "feeds.0.interval_s",
            "or equal to 60",
        ),
        ("name: x\nfeeds: [{url: 'http://a.example/'}, {url: 'http://a.example/'}]", "", "each feed once"),
        ("name: x\ntime_zone: Mars/Base", "time_zone", "IANA"),
        ("name: x\ncountry: usa", "country", "match pattern"),
        ("name: x\nid: other", "id", "'bad'"),
        ("- a list", "", "keys and values"),
        ("a: [", "", "valid YAML"),
        ("name: \x00", "", "valid YAML"),
        ("", "", "keys and values"),
    ],
)
def test_what_does_not_hold_is_named(tmp_path: Path, text: str, key: str, expected: str) -> None:
    write(tmp_path, "bad.yaml", text)
    with pytest.raises(SettingsError) as refused:
        load_sources(tmp_path)
    assert refused.value.where == (f"{tmp_path}/bad.yaml: {key}" if key else f"{tmp_path}/bad.yaml")
    assert expected in refused.value.expected


def test_a_missing_folder_and_a_reserved_id_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="folder of YAML files"):
        load_sources(tmp_path / "none")
    write(tmp_path, "processed.yaml", "name: x")
    with pytest.raises(SettingsError, match="folders of the inbox"):
        load_sources(tmp_path)
