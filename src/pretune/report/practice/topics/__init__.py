"""The questions of each stage."""

from pretune.report.practice.template import Template
from pretune.report.practice.topics.conversation import CONVERSATION
from pretune.report.practice.topics.data import DATA
from pretune.report.practice.topics.diagnosis import DIAGNOSIS
from pretune.report.practice.topics.evaluation import EVALUATION
from pretune.report.practice.topics.finetuning import FINETUNING
from pretune.report.practice.topics.pretraining import PRETRAINING
from pretune.report.practice.topics.seal import SEAL
from pretune.report.practice.topics.split import SPLIT
from pretune.report.practice.topics.tokenizer import TOKENIZER
from pretune.report.practice.topics.verdict import VERDICT
from pretune.report.practice.topics.words import TERMS

TEMPLATES: tuple[Template, ...] = (
    *TERMS,
    *DATA,
    *SPLIT,
    *SEAL,
    *TOKENIZER,
    *PRETRAINING,
    *FINETUNING,
    *EVALUATION,
    *DIAGNOSIS,
    *VERDICT,
    *CONVERSATION,
)
