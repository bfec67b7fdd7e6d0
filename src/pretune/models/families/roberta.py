"""RoBERTa: layers like BERT's."""

from dataclasses import replace

from pretune.models.families import bert
from pretune.models.families.family import ClassHead, embed

HEAD = ClassHead(
    weights=("classifier",),
    decide=lambda model, pooled: model.classifier(pooled.unsqueeze(1)),
    dense="classifier.dense",
)
FAMILY = replace(
    bert.FAMILY,
    name="roberta",
    trunk="roberta",
    embed=embed,
    classes=HEAD,
    words=None,
)
