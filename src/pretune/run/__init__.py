"""The run folder: where each part of a run is, how it is written and read back, and whether it is intact."""

from pretune.run.claim import claim_folder, identity_of
from pretune.run.damage import damage_of
from pretune.run.folder import UNFINISHED, RunFolder
from pretune.run.integrity import check_run, compare_run

__all__ = ["UNFINISHED", "RunFolder", "check_run", "claim_folder", "compare_run", "damage_of", "identity_of"]
