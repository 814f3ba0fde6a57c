"""Words of a sentence, and expressions over them: what the second look at a quote is made of.

Belongs here: nothing that knows what a word means.
"""

import re
from functools import lru_cache


def split_words(text: str) -> set[str]:
    """Give the words of a text, small, without the ending of a possessive."""
    return set(re.findall(r"\w+", text.casefold().replace("’", "'").replace("'s", "")))


@lru_cache(maxsize=1_000)  # some are made of names, of which there is no end
def compile_words(pattern: str) -> re.Pattern[str]:
    """Compile an expression that does not mind capitals; those asked for last are kept."""
    return re.compile(pattern, re.IGNORECASE)
