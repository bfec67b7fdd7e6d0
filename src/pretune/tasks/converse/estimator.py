"""A chat model in Python: fit on conversations, ask, stream, score, save and load."""

import time
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from sklearn.exceptions import NotFittedError

from pretune.configs import ChatConfig, ConverseRunConfig, ReplyConfig, parse_duration
from pretune.data.conversations import ConversationSet
from pretune.data.conversations.dataset import TrainingConversations
from pretune.data.seal.learned import Learned
from pretune.errors import UsageError
from pretune.evaluate.replies import assess_replies
from pretune.models import LanguageNetwork
from pretune.models.formats import chat
from pretune.models.past import past_of
from pretune.predict.replies import Generator
from pretune.records import Conversation, Decoding, Evaluation, History, Replies, Turn
from pretune.records.conversation import ASSISTANT
from pretune.report.fitting import watched
from pretune.run.trace import Trace
from pretune.tasks.converse.answer import Asker, choose_decoding
from pretune.tasks.converse.asked import Asked, turns_of
from pretune.tasks.converse.begin import decoding_of, settle
from pretune.tasks.converse.fit import encode_splits, fit_chat, with_mix
from pretune.tasks.converse.keep import Trained
from pretune.tasks.converse.pace import choose_part, part_of
from pretune.tokens.chat import ChatTemplate
from pretune.tokens.chat_date import fix_date, now
from pretune.train import Device, Plan, choose_device, seed_everything

NOT_FITTED = "this ChatModel is not fitted yet: call fit(data) first, or ChatModel.load(folder)"


class ChatModel:
    """A causal model that is fine-tuned on conversations.

    Args:
        model: Catalogue name, folder or hub id of a causal model.
        epochs: Maximum number of epochs; ``None`` means 3, or what the budget allows.
        freeze: ``none``, ``last-K`` or stages.
        budget: Time limit for ``fit``, such as ``10m``.
        seed: Seed of the order of rows and of dropout.
        config: How to fine-tune.
        chat: How replies are made.

    Attributes:
        history_: How training went.
        decoding_: How replies are made; the penalty on repetition was chosen on validation.
        network_: The network, on its device.

    Example:
        >>> model = ChatModel("smollm2", budget="10m")
        >>> model.config.batch_size
        8
    """

    network_: LanguageNetwork
    history_: History
    decoding_: Decoding

    def __init__(
        self,
        model: str = "smollm2",
        *,
        epochs: int | None = None,
        freeze: str = "none",
        budget: str | None = None,
        seed: int = 0,
        config: ReplyConfig = ReplyConfig(),  # noqa: B008 - frozen, so one default serves all
        chat: ChatConfig = ChatConfig(),  # noqa: B008 - as above
    ) -> None:
        self.model, self.epochs, self.freeze, self.budget, self.seed = model, epochs, freeze, budget, seed
        self.config, self.chat = config, chat
        self.licence_: str | None = None
        self._trained: Trained | None = None
        self._rows: TrainingConversations | None = None

    def settings(self) -> ConverseRunConfig:
        """Return the settings of a run with this model, nothing left open but what a budget chooses."""
        return settle(
            ConverseRunConfig(
                model=self.model,
                epochs=self.epochs,
                freeze=self.freeze,
                seed=self.seed,
                finetune=self.config,
                chat=self.chat,
                budget=self.budget,
            )
        )

    def fit(
        self,
        data: ConversationSet | TrainingConversations,
        *,
        trace: Trace | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Fine-tune from the pre-trained weights, keep the best epoch's, and choose the decoding on validation.

        Args:
            data: The result of ``load_conversations``.
            trace: Receives stages and steps.
            progress: Whether a bar and a table of epochs are shown; ``None`` shows them in a notebook and on a terminal.

        Raises:
            DataError: Nothing is left to learn.
            UsageError: ``data`` is something else, or a setting does not fit the model.
        """
        if not isinstance(data, (ConversationSet, TrainingConversations)):
            raise UsageError(
                f"fit was given a {type(data).__name__}",
                expected="the result of load_conversations",
                fix="model.fit(pretune.load_conversations(rows))",
            )
        rows = data.training if isinstance(data, ConversationSet) else data
        with watched(trace, progress=progress) as told:
            self._fit(rows, told)
        return self

    def _fit(self, rows: TrainingConversations, trace: Trace) -> None:
        config, start = self.settings(), time.perf_counter()
        own = config.finetune
        self.device_ = choose_device(own.device, precision=own.precision, threads=own.threads)
        seed_everything(config.seed)
        begun, moment = chat.read(self.model), now()
        dated = fix_date(begun.tokenizer, moment)
        if dated:
            trace.note(dated)
        self._open(begun)
        encoded = encode_splits(
            rows.train, rows.validation, self.template_, self.tokenizer_, max_length=own.max_length or 0, trace=trace
        )
        plan = Plan(epochs=config.epochs, freeze=config.freeze, device=self.device_, seed=config.seed)
        if config.budget is not None:
            left = (1 - self.chat.mix) * (parse_duration(config.budget) - (time.perf_counter() - start))
            chosen = choose_part(self.network_, encoded, own, plan, left, trace)
            encoded = part_of(encoded, chosen.num_rows, chosen.num_held, seed=config.seed)
            plan = Plan(epochs=chosen.epochs, freeze=config.freeze, device=self.device_, seed=config.seed)
        encoded = with_mix(encoded, config, self.template_, self.tokenizer_, trace)
        fitted = fit_chat(self.network_, encoded, config=own, plan=plan, trace=trace)
        learned = past_of(self.model).with_texts(row.text for row in (*rows.train, *rows.validation))
        self._trained = Trained(
            network=self.network_,
            tokenizer=self.tokenizer_,
            template=self.template_,
            encoded=encoded,
            fitted=fitted,
            learned=learned,
            moment=moment if dated else "",
        )
        self._moment = self._trained.moment
        self.history_, self._rows = fitted.history, rows
        is_open = self.chat.repetition_penalty is None and self.chat.temperature == 0
        self.decoding_, _ = choose_decoding(self.asker(trace), rows.validation, decoding_of(config), is_open=is_open)

    def trained(self, rows: TrainingConversations) -> Trained:
        """Return what ``fit`` left, which must be from these conversations.

        Raises:
            NotFittedError: Nothing was fitted here.
            UsageError: Other conversations trained the model; they may be among the test.
        """
        if self._trained is None:
            raise NotFittedError("this ChatModel was not fitted here: call fit(data) first, then judge")
        if self._rows != rows:
            raise UsageError(
                "the model was fitted on conversations other than the training part of this data",
                expected="a model fitted on the same data",
                fix="model.fit(data), then judge",
            )
        return self._trained

    def reply(self, asked: Asked | Iterable[Asked]) -> Any:
        """Return the reply to a question or to turns, or the replies to several.

        Args:
            asked: A text, or turns as ``[{"role": "user", "content": "…"}, …]``; or a list of texts, or of such turns.

        Raises:
            NotFittedError: There is no model yet.
            UsageError: The turns are no turns.
        """
        several, is_one = turns_of(asked)
        rows = [Conversation(id=str(k), turns=(*turns, Turn(role=ASSISTANT, text=""))) for k, turns in enumerate(several)]
        found = self.asker().reply(rows, "given", self._decoding()).texts
        return found[0] if is_one else list(found)

    def stream(self, asked: Asked) -> Iterator[str]:
        """Yield a reply piece by piece as it is written; joined they are the reply.

        Raises:
            NotFittedError: There is no model yet.
            UsageError: The turns are no turns.
        """
        several, _ = turns_of(asked)
        asker = self.asker()
        generator = Generator(asker.network, asker.tokenizer, stop_ids=asker.template.stop_ids, decoding=self._decoding())
        return (piece.text for piece in generator.stream(asker.template.prompt(several[0]).tolist()) if piece.text)

    def answers(self, rows: Sequence[Conversation], split: str = "given") -> Replies:
        """Return the replies to conversations, beside their references and how probable these are."""
        asker, found = self.asker(), self.asker().reply(rows, split, self._decoding())
        return Replies.from_json(found.to_json() | {"scores": [item.to_json() for item in asker.score(rows)]})

    def evaluate(self, rows: Sequence[Conversation]) -> Evaluation:
        """Return figures of the replies to conversations: loss, chrF, BLEU, shares that ended, loop, copy.

        Raises:
            NotFittedError: There is no model yet.
        """
        return assess_replies([self.answers(rows)], train=self._rows.train if self._rows is not None else ())

    def score(self, rows: Sequence[Conversation]) -> float:
        """Return minus the loss per token of the references, so that more is better, as scikit-learn has it."""
        found = self.asker().score(rows)
        return -sum(item.nats for item in found) / max(1, sum(item.tokens for item in found))

    def save(self, folder: str | Path) -> None:
        """Write a folder that ``ChatModel.load``, `pretune chat` and plain transformers load.

        Raises:
            NotFittedError: There is no model yet.
            StorageError: The disk refused.
        """
        asker = self.asker()
        card = chat.ChatCard(
            decoding=self._decoding(),
            max_length=self.settings().finetune.max_length or 0,
            stop_ids=asker.template.stop_ids,
            base_model=self.model,
            licence=self.licence_,
            pretune_version=version("pretune"),
            moment=self._moment,
        )
        trained = self._trained
        learned, adapters = (trained.learned, trained.fitted.adapters) if trained is not None else (self._learned, None)
        chat.write(Path(folder), asker.network, asker.tokenizer, card, learned, adapters)

    @classmethod
    def load(cls, name: str | Path) -> Self:
        """Return a model that can be asked: a run on conversations, a folder that ``save`` wrote, or any causal model by name.

        Raises:
            ModelLoadError: It is not there, or cannot be loaded.
        """
        start = chat.read(str(name))
        found = cls(start.card.base_model if start.card is not None else str(name))
        found.device_ = choose_device("auto")
        found._open(start)
        found.decoding_ = start.card.decoding if start.card is not None else Decoding()
        found._learned = past_of(str(name))
        return found

    def _open(self, start: chat.ChatStart) -> None:
        self.network_ = start.network.to(self.device_.kind)
        self.tokenizer_, self.licence_ = start.tokenizer, start.licence
        self.template_ = ChatTemplate(start.tokenizer)
        self._learned = Learned()
        self._moment = "" if start.card is None else start.card.moment

    def asker(self, trace: Trace | None = None) -> Asker:
        """Return the network with its template, ready to be asked.

        Raises:
            NotFittedError: There is no model yet.
        """
        if not hasattr(self, "network_"):
            raise NotFittedError(NOT_FITTED)
        return Asker(
            network=self.network_,
            tokenizer=self.tokenizer_,
            template=self.template_,
            source="finetuned",
            trace=trace or Trace(),
        )

    def _decoding(self) -> Decoding:
        if not hasattr(self, "decoding_"):
            raise NotFittedError(NOT_FITTED)
        return self.decoding_

    device_: Device
    tokenizer_: Any
    template_: ChatTemplate
    _learned: Learned
    _moment: str
