"""Judging from Python, whatever the task: the data tell which."""

from pathlib import Path
from typing import Any

from pretune.configs import JudgeConfig
from pretune.data.conversations import ConversationSet
from pretune.errors import UsageError
from pretune.records import Verdict
from pretune.report.fitting import watched
from pretune.run.trace import Trace
from pretune.tasks.classify import path as classify
from pretune.tasks.converse import path as converse
from pretune.tasks.converse.estimator import ChatModel


def judge(
    model: Any,
    data: Any,
    *,
    run: str | Path | None = None,
    config: JudgeConfig | None = None,
    policy: str | None = None,
    trace: Trace | None = None,
    progress: bool | None = None,
) -> Verdict:
    """Open the sealed test once and say: ship, do not ship, or not enough evidence; makes a run folder.

    Args:
        model: A ``TextClassifier`` or a ``ChatModel``, fitted on ``data``.
        data: The result of ``load_data`` or ``load_conversations``.
        run: The run folder; by default ``runs/DATA-MODEL``, with a number if that is taken.
        config: How to judge a classifier.
        policy: A TOML file that replaces the policy for conversations; of a classifier it stands in ``config``.
        trace: Receives the stages.
        progress: Whether a bar is shown; ``None`` shows it in a notebook and on a terminal.

    Returns:
        The verdict; its ``run`` is the folder, its ``report`` the page in it.

    Raises:
        LedgerError: The ledger of openings was changed; the seal stays shut.
        UsageError: Model and data are of two tasks, the run folder is taken, or the policy cannot be read.
    """
    is_chat = isinstance(data, ConversationSet)
    if is_chat != isinstance(model, ChatModel):
        raise UsageError(
            f"a {type(model).__name__} and a {type(data).__name__}",
            expected="a ChatModel with what load_conversations returns, or a TextClassifier with what load_data returns",
        )
    if is_chat and config is not None:
        raise UsageError("config with a chat model", expected="policy", fix="leave config out")
    if not is_chat and policy is not None:
        raise UsageError("policy with a classifier", expected="config=JudgeConfig(policy=...)")
    with watched(trace, progress=progress) as told:
        if is_chat:
            return converse.judge(model, data, run=run, policy=policy, trace=told)
        return classify.judge(model, data, run=run, config=config, trace=told)
