"""Auditing: judge predictions that any other tool made, from their table alone. No model, no run folder, no torch."""

from pretune.auditing.audit import audit, write_audit
from pretune.auditing.question import Question

__all__ = ["Question", "audit", "write_audit"]
