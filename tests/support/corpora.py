"""Generated documents for tests of corpora: words drawn from a list, so that no two are alike by chance."""

import random
from collections.abc import Iterable
from pathlib import Path

SYLLABLES = "ba ce di fo gu ha le mi no pu ra se ti vo wu xa ye zi".split()


def make_documents(number: int, *, num_words: int = 40, seed: int = 0) -> list[str]:
    """Return documents of words that mean nothing, all of them different."""
    chance = random.Random(seed)
    return [" ".join(make_word(chance) for _ in range(num_words)) + "." for _ in range(number)]


def make_word(chance: random.Random) -> str:
    """Return a word of two to four syllables."""
    return "".join(chance.choices(SYLLABLES, k=chance.randint(2, 4)))


def change_words(text: str, number: int, *, seed: int = 0) -> str:
    """Return the text with so many of its words replaced by others."""
    chance, words = random.Random(seed), text.split()
    for place in chance.sample(range(len(words)), number):
        words[place] = make_word(chance)
    return " ".join(words)


def write_documents(path: Path, documents: Iterable[str]) -> Path:
    """Write documents with empty lines between them."""
    path.write_text("\n\n".join(documents) + "\n", encoding="utf-8")
    return path
