"""Questions that no run can answer, by the section of the dossier that they belong to.

Source:
    Regulation (EU) 2024/1689, Annex IV, for what technical documentation covers; Mitchell et al. (2019), Model Cards for Model
    Reporting, for the rest. The words are pretune's own.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Args:
        key: Its name in the file of answers.
        section: Number of the section of the dossier.
        text: As people read it.
    """

    key: str
    section: str
    text: str


QUESTIONS = (
    Question("purpose", "1", "What is the system for, who uses it, and on whom or what does it decide?"),
    Question("not_for", "1", "What is it not to be used for, though somebody might?"),
    Question("provider", "1", "Who provides the system, under which name and version, and who answers for it?"),
    Question("surroundings", "1", "Which systems and devices does it read from and write to, and how does it reach its users?"),
    Question("assumptions", "2.2", "What was assumed about the people and situations it is used with, and why?"),
    Question("provenance", "2.4", "How, when and by whom were the data collected, and on which legal basis?"),
    Question(
        "labelling", "2.4", "Who gave the labels or wrote the replies, by which instructions, and how were doubts settled?"
    ),
    Question("gaps", "2.4", "Which people, languages, periods or kinds of cases do the data lack or show too rarely?"),
    Question("oversight", "2.5", "Who watches the system at work, what can they see, and how do they correct or stop it?"),
    Question("planned_changes", "2.6", "Which changes to the system are planned from the start, and how will they be tested?"),
    Question("testers", "2.7", "Who carried out and approved these tests? Name, date and signature."),
    Question(
        "groups", "2.7", "For which groups of people must the figures hold, and does a column of the data tell them apart?"
    ),
    Question("security", "2.8", "How are model, data and interfaces protected against manipulation and misuse?"),
    Question("misuse", "3", "What can go wrong for health, safety or fundamental rights, even in foreseeable misuse?"),
    Question("metrics", "4", "Why do these figures and their minimums fit the purpose? What does each kind of mistake cost?"),
    Question("risks", "5", "Which risks were found, how are they reduced, and which remain?"),
    Question("lifecycle", "6", "Which earlier versions were in use, and what has changed since?"),
    Question("standards", "7", "Which harmonised standards or other specifications were applied, in full or in part?"),
    Question("declaration", "8", "Where is the declaration of conformity, if one is needed?"),
    Question("monitoring", "9", "Who looks at the system in use, how often, at which figures, and what happens on an alarm?"),
    Question("ethics", "9", "Which people were asked about the system, and which concerns did they have?"),
)
