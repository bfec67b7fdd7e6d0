"""Forms of requests and answers, from which the OpenAPI page is made as well."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Strict(BaseModel):
    """Takes what it names, of the type it names, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Asked(Strict):
    """One text, or several."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"text": "a great film"}]})

    text: Annotated[str | None, Field(description="One text.")] = None
    texts: Annotated[list[str] | None, Field(description="Several texts; each gets one answer, in order.")] = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.text is None) == (self.texts is None):
            raise ValueError("give text or texts, and not both")
        return self

    @property
    def all(self) -> list[str]:
        """The texts, in order."""
        return [self.text] if self.text is not None else self.texts or []


class Followed(Strict):
    """The text that is followed through the layers."""

    text: Annotated[str, Field(description="One text.")]


class Answered(BaseModel):
    """What is said of one text, as `pretune predict --json` says it."""

    predicted: Annotated[str | None, Field(description="The class, by the model's threshold where it has one.")]
    probabilities: Annotated[dict[str, float] | None, Field(description="Probability of each class.")]
    error: Annotated[str | None, Field(description="Why there is no answer, such as an empty text.")]


class Answers(BaseModel):
    """One answer a text, in order."""

    schema_: Annotated[int, Field(alias="schema")] = 1
    answers: list[Answered]


class Fault(BaseModel):
    """What was got, what was expected, how to fix it."""

    code: str
    got: str
    expected: str
    fix: str


class Refused(BaseModel):
    """An error, as `--json` prints it."""

    schema_: Annotated[int, Field(alias="schema")] = 1
    error: Fault


class Model(BaseModel):
    """What answers."""

    schema_: Annotated[int, Field(alias="schema")] = 1
    name: str
    classes: list[str]
    positive: Annotated[str | None, Field(description="The class that the threshold is for.")]
    threshold: Annotated[float | None, Field(description="Least probability of the positive class that decides for it.")]
    max_length: Annotated[int | None, Field(description="Tokens per text; what is longer is cut.")]
    verdict: Annotated[str | None, Field(description="ship, do_not_ship, not_enough_evidence, or null: not judged.")]
    digest: Annotated[str, Field(description="SHA-256 of what answers.")]
    can_follow: Annotated[bool, Field(description="Whether POST /trace follows a text through the layers.")]
    pretune: Annotated[str, Field(description="Version of pretune.")]
