"""Settings: a wrong one stops the run with file (or variable), key and expectation named."""

from pathlib import Path

import pytest

from blotter.config import load_settings
from blotter.errors import SettingsError


def write_settings(folder: Path, text: str) -> Path:
    path = folder / "blotter.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_file_and_environment_the_defaults_stand_under_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(environ={}).warehouse == str(tmp_path / "data/warehouse")


def test_relative_paths_are_taken_from_the_folder_of_the_file(tmp_path: Path) -> None:
    path = write_settings(tmp_path, 'warehouse = "tables"\nstate = "postgresql+psycopg2://u@h/db"')
    settings = load_settings(path, environ={})
    assert settings.warehouse == str(tmp_path / "tables")
    assert settings.state == "postgresql+psycopg2://u@h/db"


def test_the_environment_outranks_the_file(tmp_path: Path) -> None:
    path = write_settings(tmp_path, "[fetch]\nconcurrency = 3\n")
    given = {"BLOTTER_CONFIG": str(path), "BLOTTER_FETCH__CONCURRENCY": "5", "BLOTTER_FETCH__RESOLVE": "a=b:1, c=d:2"}
    fetch = load_settings(environ=given).fetch
    assert fetch.concurrency == 5
    assert fetch.resolve == ("a=b:1", "c=d:2")


@pytest.mark.parametrize(
    ("text", "key", "expectation"),
    [
        ("[fetch]\nconcurrency = 0\n", "fetch.concurrency", "greater than or equal to 1"),
        ('[fetch]\nconcurency = "5"\n', "fetch.concurency", "a setting that exists"),
        ("[link]\naccept = 0.2\nreject = 0.5\n", "link.reject", "at most link.accept"),
        ("warehouse = 5\n", "warehouse", "valid string"),
    ],
)
def test_a_wrong_setting_names_file_key_and_expectation(tmp_path: Path, text: str, key: str, expectation: str) -> None:
    path = write_settings(tmp_path, text)
    with pytest.raises(SettingsError) as stopped:
        load_settings(path, environ={})
    assert str(path) in str(stopped.value)
    assert key in str(stopped.value)
    assert expectation in str(stopped.value)


@pytest.mark.parametrize("text", ["= nonsense", "\x00", "[fetch\n"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str) -> None:
    path = write_settings(tmp_path, text)
    with pytest.raises(SettingsError, match="valid TOML"):
        load_settings(path, environ={})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="readable settings file"):
        load_settings(tmp_path / "none.toml", environ={})


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(SettingsError, match=r"\$BLOTTER_FETCH__CONCURRENCY: fetch\.concurrency"):
        load_settings(environ={"BLOTTER_FETCH__CONCURRENCY": "many"})
