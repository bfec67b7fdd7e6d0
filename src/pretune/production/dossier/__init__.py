"""The dossier: what a run proves, under the headings that whoever signs for a system has to fill, and what only they know."""

from pretune.production.dossier.make import Made, make_dossier

__all__ = ["Made", "make_dossier"]
