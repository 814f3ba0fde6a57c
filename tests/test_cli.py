"""The command line as a person meets it: help for everything, one line and an exit code for every error."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from blotter.cli import app, main


def list_commands(command: click.Command, name: str = "blotter") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    for sub in getattr(command, "commands", {}).values():
        yield from list_commands(sub, f"{name} {sub.name}")


COMMANDS = dict(list_commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name: str) -> None:
    command = COMMANDS[name]
    assert command.help, name
    untold = [
        option.name
        for option in command.params
        if isinstance(option, click.Option) and not option.help and len(option.opts[0]) > 2
    ]
    assert set(untold) <= {"limit"}, f"{name}: options without help"


def test_without_arguments_the_commands_are_listed() -> None:
    assert "incidents" in CliRunner().invoke(app, []).output


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.output.strip()[0].isdigit()


def test_a_setting_that_is_wrong_is_one_line_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "blotter.toml"
    config.write_text("part_rows = 'many'\n")
    monkeypatch.setattr("sys.argv", ["blotter", "settings", "--config", str(config)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "part_rows" in capsys.readouterr().err
