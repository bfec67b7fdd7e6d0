"""Loggers that people use already: ``--log`` sends them what a trace is told, and nothing leaves the machine unasked."""

from pretune.production.log.open import LOGGERS, Logs, open_logs, require_loggers

__all__ = ["LOGGERS", "Logs", "open_logs", "require_loggers"]
