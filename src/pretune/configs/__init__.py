"""The frozen configs, one per stage: best practice as defaults, checked on creation."""

from pretune.configs.base import Config, parse_duration
from pretune.configs.converse import ChatConfig, ConverseRunConfig, ReplyConfig
from pretune.configs.data import (
    DOCUMENTS,
    MAX_CELL,
    MAX_COLUMNS,
    MAX_REJECTED_SHARE,
    QUOTINGS,
    CorpusConfig,
    ReadConfig,
    SplitConfig,
)
from pretune.configs.finetune import (
    AUTO,
    DECAYS,
    DEFAULT_MAX_LENGTH,
    HEADS,
    LAST,
    MONITORS,
    PRECISIONS,
    SAMPLINGS,
    FinetuneConfig,
)
from pretune.configs.judge import SCORE_OF, TASKS, AuditConfig, JudgeConfig
from pretune.configs.pretrain import OBJECTIVES, OPTIMIZERS, SIZES, TOKENIZERS, PretrainConfig, TokenizerConfig
from pretune.configs.run import RECIPES, PretrainRunConfig, RunConfig

__all__ = [
    "AUTO",
    "DECAYS",
    "DEFAULT_MAX_LENGTH",
    "DOCUMENTS",
    "HEADS",
    "LAST",
    "MAX_CELL",
    "MAX_COLUMNS",
    "MAX_REJECTED_SHARE",
    "MONITORS",
    "OBJECTIVES",
    "OPTIMIZERS",
    "PRECISIONS",
    "QUOTINGS",
    "RECIPES",
    "SAMPLINGS",
    "SCORE_OF",
    "SIZES",
    "TASKS",
    "TOKENIZERS",
    "AuditConfig",
    "ChatConfig",
    "Config",
    "ConverseRunConfig",
    "CorpusConfig",
    "FinetuneConfig",
    "JudgeConfig",
    "PretrainConfig",
    "PretrainRunConfig",
    "ReadConfig",
    "ReplyConfig",
    "RunConfig",
    "SplitConfig",
    "TokenizerConfig",
    "parse_duration",
]
