"""Topics: is a reply about what was asked?

It is if it names the rarest word of the question that the reference repeats.
"""

import re
from collections import Counter
from collections.abc import Sequence

from pretune.evaluate.subject import MIN_LETTERS, STEM
from pretune.hashing import fold

# Share of the questions that may have a word, and their number in any case, for it to say what one question is about: "gout"
# does, "symptoms" does not.
MAX_SHARE, MAX_FEW = 0.02, 5
RULE = (
    "share of replies that name what was asked: the rarest word of the question (its first 6 letters) that the reference "
    "repeats, at most 2 % of the questions have and is no function word; questions without such a word are left out"
)

_WORD = re.compile(r"[^\W_]+")
# Words that no question is about, and those that only ask.
_EMPTY = frozenset(
    """
    about above after again against all also although always among and another any anybody anyone anything are around asked
    asking away back because been before being below best better between both but came can cannot come comes could did does
    doing done don down during each either else enough even ever every everyone everything except explain few first for from
    further gave get gets getting give given gives goes going gone got had has have having her here hers him himself his how
    however into its itself just keep kind kinds knew know known last least less let like likely list little long look made
    make makes making many maybe mean means might more most much must myself near need needs neither never next nobody none
    nor not nothing now off often once one ones only onto other others our ours out over own part people perhaps please put
    quite rather really said same say says see seem seems seen shall she should show since some somebody someone something
    sometimes still such take taken takes tell than thank thanks that the their theirs them themselves then there these they
    thing things think this those though through thus too took toward two under until upon use used uses using very want
    wants was way well went were what whatever when where whether which while who whole whom whose why will with within
    without would write yes yet you your yours yourself
    """.split()
)


def find_topics(questions: Sequence[str], references: Sequence[str], others: Sequence[str] = ()) -> list[frozenset[str]]:
    """Return the stems of the words that say what each question is about; of a question without such words, none.

    Args:
        questions: Those of the test.
        references: Their replies, in the same order.
        others: Questions of training: how rare a word is is counted over all questions.

    Example:
        >>> asked = ["What is gout?", "What is lupus, then?"]
        >>> find_topics(asked, ["Gout is a kind of arthritis.", "Lupus is a disease."])
        [frozenset({'gout'}), frozenset({'lupus'})]
    """
    own = [_words(question) for question in questions]
    found = Counter[str]()
    for words in (*own, *map(_words, others)):
        found.update(words)
    most = max(MAX_FEW, MAX_SHARE * (len(own) + len(others)))
    topics = []
    for words, reference in zip(own, references, strict=True):
        named = [word for word in words & _words(reference) if found[word] <= most]
        least = min((found[word] for word in named), default=0)
        topics.append(frozenset(word for word in named if found[word] == least))
    return topics


def names_topic(text: str, topic: frozenset[str]) -> bool:
    """Return whether a text has one of the words."""
    return not topic.isdisjoint(_words(text))


def _words(text: str) -> set[str]:
    words = _WORD.findall(fold(text))
    return {word[:STEM] for word in words if len(word) >= MIN_LETTERS and not word.isdigit() and word not in _EMPTY}
