"""The decision, by a policy that is data."""

from pretune.verdict.judge import decide
from pretune.verdict.plain import plain_reading
from pretune.verdict.policy import Gate, Policy, load_policy, parse_policy
from pretune.verdict.trace_reason import figure_of

__all__ = ["Gate", "Policy", "decide", "figure_of", "load_policy", "parse_policy", "plain_reading"]
