"""pretune takes a language model from general text to your task, and proves the result."""

import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if sys.platform == "win32":
    raise ImportError(
        "pretune runs on Linux and macOS: what it keeps is locked and exchanged in ways that Windows does not have. "
        "On Windows, use it in the Windows Subsystem for Linux (WSL 2)"
    )

# Public name → the module that defines it; resolved on first use, so that ``import pretune`` loads nothing heavy.
_HOMES = {
    "load_data": "pretune.tasks.classify.load",
    "load_conversations": "pretune.data.conversations.dataset",
    "load_model": "pretune.tasks.classify.load",
    "load_pretrained_model": "pretune.tasks.classify.load",
    "Dataset": "pretune.tasks.classify.load",
    "ConversationSet": "pretune.data.conversations.dataset",
    "TextClassifier": "pretune.tasks.classify.estimator",
    "ChatModel": "pretune.tasks.converse.estimator",
    "judge": "pretune.tasks.judge",
    "compare": "pretune.tasks.classify.compare",
    "prefer": "pretune.evaluate.prefer",
    "ChatConfig": "pretune.configs",
    "FinetuneConfig": "pretune.configs",
    "ReplyConfig": "pretune.configs",
    "JudgeConfig": "pretune.configs",
    "ReadConfig": "pretune.configs",
    "SplitConfig": "pretune.configs",
    "Evaluation": "pretune.records",
    "Verdict": "pretune.records",
    "PretuneError": "pretune.errors",
    "DataError": "pretune.errors",
    "MissingLabelsError": "pretune.errors",
    "ModelLoadError": "pretune.errors",
    "SealedError": "pretune.errors",
}

__all__ = [*_HOMES, "__version__"]

if TYPE_CHECKING:  # what type checkers and editors see
    from pretune.configs import (
        ChatConfig as ChatConfig,
        FinetuneConfig as FinetuneConfig,
        JudgeConfig as JudgeConfig,
        ReadConfig as ReadConfig,
        ReplyConfig as ReplyConfig,
        SplitConfig as SplitConfig,
    )
    from pretune.data.conversations.dataset import (
        ConversationSet as ConversationSet,
        load_conversations as load_conversations,
    )
    from pretune.errors import (
        DataError as DataError,
        MissingLabelsError as MissingLabelsError,
        ModelLoadError as ModelLoadError,
        PretuneError as PretuneError,
        SealedError as SealedError,
    )
    from pretune.evaluate.prefer import prefer as prefer
    from pretune.records import Evaluation as Evaluation, Verdict as Verdict
    from pretune.tasks.classify.compare import compare as compare
    from pretune.tasks.classify.estimator import TextClassifier as TextClassifier
    from pretune.tasks.classify.load import (
        Dataset as Dataset,
        load_data as load_data,
        load_model as load_model,
        load_pretrained_model as load_pretrained_model,
    )
    from pretune.tasks.converse.estimator import ChatModel as ChatModel
    from pretune.tasks.judge import judge as judge


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pretune' has no attribute {name!r}; it has {', '.join(sorted(_HOMES))}")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "IProgress not found")  # of tqdm in notebooks, about bars that are not drawn here
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
