"""Domain: are the questions about health, law or money? By a list of words that everybody can read."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from pretune.hashing import fold
from pretune.records import Domain

# Share of the questions with a word of an area's list, from which its replies are advice that people have to look at.
# Measured, the largest area: medquad 0.68 (health), instruct_t0_sample 0.08, clinc150 0.04, gsm8k 0.02, movie-dialogs 0.02.
LIMIT = 0.15

# Words, and beginnings of words where a star stands. Words that stories and sums are full of (pay, price, pain, court) are
# left out: an area is told by what hardly anybody says outside of it.
WORDS: Mapping[str, str] = {
    "health": """
        abortion* allerg* alzheimer* anemi* anaemi* antibiotic* antidepressant* anxiety arthriti* asthma* autis* autoimmun*
        biops* bronchi* cancer* carcinoma* cardiac cardiovascular chemotherap* chlamydia cholesterol chronic congenital
        contracepti* covid* dementia dermatiti* diabet* diagnos* dialysis diarrhea diarrhoea diet disease* disorder* dosage dose
        doses eczema epilep* fibrosis fracture* genetic glaucoma gonorrh* gout hepatiti* hernia herpes hiv hypertension
        immuniz* immunis* infect* inflammat* inherited insulin kidney* leukemi* leukaemi* lupus lymphoma* malaria medication*
        medicine* melanoma* menopaus* migraine* mutation* neuropath* obes* osteopor* ovarian pancrea* parkinson* patient*
        pneumonia* pregnan* prescri* prognos* prostate psoriasis rash schizophren* sclerosis seizure* sepsis stroke surger*
        surgical symptom* syndrome* therap* thyroid treatment* tuberculosis tumor* tumour* ulcer* urinary vaccin* virus
    """,
    "law": """
        alimony appeal* arrest* attorney* bail bailiff* copyright* custody defendant* deport* divorc* evict* felony gdpr
        immigration indict* inherit* injunction* jurisdiction* landlord* lawsuit* lawyer* legal* legislat* liab* litigat*
        malpractice misdemeanor* notary parole patent* plaintiff* probate prosecut* solicitor* statute* sue sued suing tenan*
        testament* trademark* visa warrant wills
    """,
    "money": """
        401k annuit* apr asset* bankrupt* bond bonds broker* crypto* creditor* debt* deductible* dividend* equity etf forex
        hedge inflation insurance insurer* invest* ira lender* liquidity loan* mortgage* overdraft* payday pension* portfolio*
        premium* refinanc* retirement roth securities shareholder* stock* tax taxable taxation taxes trader* trading treasury
    """,
}
# Words that say little on their own: a question counts where a second word of the list is beside it.
WEAK = frozenset(
    """
    appeal appeals bond bonds chronic diet disorder disorders equity genetic hedge inherited rash stock stocks stroke virus
    visa warrant
    """.split()
)

_WORD = re.compile(r"[^\W_]+")


def find_domain(questions: Sequence[str], *, asked: str | None = None) -> Domain:
    """Return which share of the questions has a word of each list, and which area needs a review by people.

    Args:
        questions: What is asked, in training and test.
        asked: ``--domain``: ``plain`` switches the review off, and the record says so.

    Example:
        >>> find_domain(["What are the symptoms of gout?", "How is asthma treated?"]).area
        'health'
    """
    shares, words = dict[str, float](), dict[str, Counter[str]]()
    folded = [set(_WORD.findall(fold(question))) for question in questions]
    for area, listed in WORDS.items():
        matches = _matcher(listed)
        found = [{word for word in asked_words if matches.fullmatch(word)} for asked_words in folded]
        hits = [item for item in found if item - WEAK or len(item) > 1]
        shares[area] = len(hits) / max(1, len(questions))
        words[area] = Counter(word for item in hits for word in sorted(item))
    first = max(shares, key=lambda area: shares[area])
    over = first if shares[first] > LIMIT else None
    commonest = [] if over is None else [word for word, _ in words[over].most_common(8)]
    return Domain(shares=shares, limit=LIMIT, area=over, words=tuple(commonest), num_questions=len(questions), asked=asked)


def _matcher(listed: str) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(word).replace(r"\*", r"\w*") for word in listed.split()))
