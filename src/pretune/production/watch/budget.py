"""Budget: how much error each test may make, so that all looks together cry wolf as rarely as promised.

Every look may make a false alarm with probability ``ERROR / PER_WINDOWS``, shared out over its signals and over the tests of
each. By the union bound, whatever depends on what, 100 looks without a change raise a false alarm with probability at most
1 %, and the mean time to one is at least 5,000 looks. The share of each look is the same, so a change that comes after a year
is found as well as one in the first week.

Source:
    Lan and DeMets (1983), Discrete sequential boundaries for clinical trials (spending the error over looks); Page (1954),
    Continuous inspection schemes (how long until a false alarm).
"""

ERROR, PER_WINDOWS = 0.01, 100
# How the error of a look is shared out. Ours: what decides about the model's work gets most.
SHARES = {
    "classes": 0.30,
    "vocabulary": 0.15,
    "told_apart": 0.10,
    "length": 0.10,
    "columns": 0.10,
    "tokens": 0.05,
    "confidence": 0.05,
    "figures": 0.15,
}
# Texts that make a test worth asking twice: a smaller window is also joined with those before it.
ENOUGH = 2_000
MAX_JOINED = 60  # windows
# Texts below which nothing is compared.
MIN_TEXTS = 50
METHOD = (
    f"error spent evenly over looks: {ERROR / PER_WINDOWS:.2g} per look, shared out over its tests (union bound); "
    f"at most {ERROR:.0%} false alarms in {PER_WINDOWS} looks without a change"
)


def level_of(signal: str, num_tests: int = 1, *, num_spans: int = 1) -> float:
    """Return the error that one test of a signal may make at one look.

    Args:
        signal: One of ``SHARES``.
        num_tests: Tests of this signal, such as one per class.
        num_spans: 2 where the window is also joined with those before it.

    Example:
        >>> f"{level_of('classes', 3):.0e}"
        '1e-05'
    """
    return ERROR / PER_WINDOWS * SHARES[signal] / num_tests / num_spans
