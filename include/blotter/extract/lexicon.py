"""Word lists: how the files in `lexicons/` are read.

Belongs here: the two file formats (sections of words; rows of columns). Does not belong here: what a list is for, which
its file's head and its user say. Files are read when a `Reader` is made, never on import.
"""

from importlib.resources import files


def load_sections(name: str) -> dict[str, frozenset[str]]:
    """Read a list of words in `[sections]`; words are separated by blanks, `#` starts a comment line."""
    sections: dict[str, set[str]] = {}
    words: set[str] = set()
    for line in _lines(name):
        if line.startswith("[") and line.endswith("]"):
            words = sections.setdefault(line[1:-1], set())
        else:
            words.update(line.split())
    return {section: frozenset(found) for section, found in sections.items()}


def load_rows(name: str) -> list[list[str]]:
    """Read rows of columns separated by `|`, in the order of the file."""
    return [[cell.strip() for cell in line.split("|")] for line in _lines(name)]


def _lines(name: str) -> list[str]:
    text = (files("blotter.extract") / "lexicons" / name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
