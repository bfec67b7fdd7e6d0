"""Pitfalls: each check measures one, and says so even when all is well."""

from pretune.diagnose.checks import CHECKS, DATA_CHECKS, RESULT_CHECKS, Check, checks_by, diagnose

__all__ = ["CHECKS", "DATA_CHECKS", "RESULT_CHECKS", "Check", "checks_by", "diagnose"]
