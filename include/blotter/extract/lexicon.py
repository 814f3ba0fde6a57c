"""Word lists: how the files in `lexicons/` are read.

Belongs here: the two file formats (sections of words; rows of columns). Does not belong here: what a list is for, which
its file's head and its user say. Files are read when a `Reader` is made, never on import.
"""

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any


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


def compile_words(words: Iterable[str]) -> str:
    """Give an expression that matches any of the words, the longest first: a tree of letters, so that it is not tried
    word by word.
    """
    tree: dict[str, dict[str, Any]] = {}
    for word in words:
        branch = tree
        for letter in word:
            branch = branch.setdefault(letter, {})
        branch[""] = {}
    return _write_tree(tree)


def _write_tree(tree: Mapping[str, Mapping[str, Any]]) -> str:
    branches = [re.escape(letter) + _write_tree(rest) for letter, rest in sorted(tree.items()) if letter]
    if not branches:
        return ""
    joined = branches[0] if len(branches) == 1 and "" not in tree else f"(?:{'|'.join(branches)})"
    return joined + ("?" if "" in tree else "")


def _lines(name: str) -> list[str]:
    text = (files("blotter.extract") / "lexicons" / name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
