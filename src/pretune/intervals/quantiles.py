"""Quantiles of the normal and of Student's t distribution."""

from statistics import NormalDist


def quantile(confidence: float) -> float:
    """Return z, such that a standard normal value lies in [-z, z] with this probability.

    Example:
        >>> round(quantile(0.95), 3)
        1.96
    """
    return NormalDist().inv_cdf((1 + confidence) / 2)


def t_quantile(confidence: float, freedom: float) -> float:
    """Return t, such that Student's t with so many degrees of freedom lies in [-t, t] with this probability."""
    from scipy.special import stdtrit  # loaded on use: a command that is refused needs no quantiles, and this takes 0.2 s

    return float(stdtrit(max(freedom, 1.0), (1 + confidence) / 2))
