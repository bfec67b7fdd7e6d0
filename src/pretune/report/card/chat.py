"""The card of a chat model: what a stranger must know before talking to it or letting others do so."""

from collections.abc import Iterator

from pretune.records import RunRecord
from pretune.report.asked_of_tuning import answer_questions
from pretune.report.card.card import OF_A_RUN, escape, joined, tell_data, tell_licences, tell_verdict
from pretune.report.card.use import Place
from pretune.report.conversation import describe_chat
from pretune.report.words import OUTCOMES

USE = """\
```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("model/")
model = AutoModelForCausalLM.from_pretrained("model/").eval()
asked = [{"role": "user", "content": "a question"}]
inputs = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt", return_dict=True)
reply = model.generate(**inputs)[0, inputs["input_ids"].shape[1]:]
print(tokenizer.decode(reply, skip_special_tokens=True))
```"""


def render_chat_card(record: RunRecord, place: Place = OF_A_RUN) -> str:
    """Return the card of a run on conversations as Markdown; arguments as for ``render_card``."""
    return joined(
        record,
        (
            ("", _introduce(record)),
            ("Verdict", tell_verdict(record)),
            ("Figures", _tell_figures(record)),
            ("Why fine-tune, and at what price", _tell_why(record)),
            ("Data", tell_data(record)),
            ("How to use it", _tell_use(place)),
            ("Limits", _tell_limits(record)),
            ("Licence and source", tell_licences(record)),
        ),
    )


def _introduce(record: RunRecord) -> Iterator[str]:
    source, data = escape(record.model_source), escape(record.data_source)
    yield f"A chat model made by pretune from {source} and the conversations of {data}."
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| verdict | {OUTCOMES[record.verdict.outcome] if record.verdict else 'none yet: the test is sealed'} |"
    if record.chat is not None:
        decoding = record.chat.decoding
        how = (
            "the most probable token each time"
            if not decoding.temperature
            else f"drawn at temperature {decoding.temperature:g}"
        )
        penalty = f", repetition penalty {decoding.repetition_penalty:g}" if decoding.repetition_penalty != 1 else ""
        yield f"| replies | {how}{penalty}; at most {decoding.max_tokens:,} tokens |"
        yield f"| learned from | {record.chat.num_learned:,} conversations |"
    yield f"| made | {escape(record.created)}, {escape(record.device)} |"


def _tell_why(record: RunRecord) -> Iterator[str]:
    for question, answer in answer_questions(record):
        yield f"- **{question}** {escape(answer)}"


def _tell_figures(record: RunRecord) -> Iterator[str]:
    page = describe_chat(record)
    if not page.figures:
        return
    yield f"{page.num_questions:,} test questions:"
    yield ""
    yield f"| | {' | '.join(map(escape, page.sources))} |"
    yield f"|---|{'---|' * len(page.sources)}"
    for name, cells in page.figures:
        yield f"| {name} | {' | '.join(f'{value} {reach}'.strip() for value, reach in cells)} |"
    yield ""
    yield from page.forgetting
    for line in page.forms:
        yield ""
        yield line


def _tell_use(place: Place) -> Iterator[str]:
    yield "From the hub:" if place.is_on_hub else "From this folder:"
    yield from place.tell_download()
    yield ""
    yield "```sh"
    yield f"pretune chat {place.folder}"
    yield "```"
    yield ""
    yield "It also loads in plain transformers, with the template and the decoding that were judged:"
    yield ""
    yield place.fit(USE)


def _tell_limits(record: RunRecord) -> Iterator[str]:
    yield "The figures hold only for questions like those of the test. Likeness to a reference is not truth."
    if record.chat is not None and record.chat.safety:
        number = len(record.chat.safety[0].questions)
        yield f"Replies to {number} questions that need care are in report.html; nobody judged them."
    yield ""
    for finding in record.findings:
        if finding.severity.value in ("blocking", "warning"):
            yield f"- {finding.severity.value}: {escape(finding.summary)}"
