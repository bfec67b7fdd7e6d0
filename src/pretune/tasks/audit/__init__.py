"""Auditing: judges predictions of any other tool from their table alone. No model, no run folder, no torch."""

from pretune.tasks.audit.path import audit, write_audit
from pretune.tasks.audit.question import Question

__all__ = ["Question", "audit", "write_audit"]
