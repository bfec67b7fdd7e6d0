"""Notes from a clinic, made up: the trade-off of a screening needs medical text, and the catalogue has none."""

from random import Random

from pretune.records import Example

URGENT, ROUTINE = "urgent", "routine"
SHARE = 0.06  # of urgent notes
# A note is urgent for what is in it; some signs are in both kinds, so that no model can tell them apart without fail.
_OPENINGS = ("Seen today.", "Follow-up.", "Walk-in.", "By telephone.", "Referred by the practice.", "Review of the week.")
_URGENT = (
    "sudden pain in the chest since this morning", "short of breath at rest", "cold sweat and dizziness",
    "stiff neck with a high fever", "confused since last night", "one arm weak for an hour", "vomiting blood",
    "fainted twice today",
)  # fmt: skip
_SHARED = (
    "fever for three days", "headache, worse in the evening", "pain in the left arm after sport", "tired and dizzy",
    "palpitations now and then", "cough with some pain in the chest", "nausea since yesterday", "numb fingers at night",
)  # fmt: skip
_ROUTINE = (
    "asks for a repeat of the usual tablets", "wound is healing well", "wants a certificate for work", "itching rash",
    "blood pressure is well controlled", "sleeps badly", "vaccination due", "knee hurts on stairs",
)  # fmt: skip
_ENDINGS = ("Lives alone.", "No allergies known.", "Smoker.", "Takes aspirin.", "Otherwise well.", "Second visit this month.")


def make_notes(number: int, *, seed: int) -> list[Example]:
    """Return so many notes with their class; the same for a seed.

    About a quarter of the urgent notes have no sign that is theirs alone, and a few routine ones mention one.
    """
    draw = Random(seed)
    return [_note(f"note-{seed}-{place}", draw) for place in range(number)]


def _note(name: str, draw: Random) -> Example:
    is_urgent = draw.random() < SHARE
    told = [draw.choice(_SHARED)]
    if is_urgent and draw.random() < 0.75:
        told.append(draw.choice(_URGENT))
    elif is_urgent:
        told.append(draw.choice(_SHARED))
    else:
        told.append(draw.choice(_ROUTINE if draw.random() < 0.7 else _SHARED))
        if draw.random() < 0.03:
            told.append(f"last year {draw.choice(_URGENT)}")
    draw.shuffle(told)
    text = f"{draw.choice(_OPENINGS)} Patient of {draw.randrange(18, 94)}: {', '.join(told)}. {draw.choice(_ENDINGS)}"
    return Example(id=name, text=text, label=URGENT if is_urgent else ROUTINE)
