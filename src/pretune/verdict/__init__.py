"""The decision, by a policy that is data."""

from pretune.verdict.gate import Gate
from pretune.verdict.judge import decide
from pretune.verdict.limits import Limit
from pretune.verdict.plain import plain_reading
from pretune.verdict.policy import Policy, load_policy, parse_policy

__all__ = ["Gate", "Limit", "Policy", "decide", "load_policy", "parse_policy", "plain_reading"]
