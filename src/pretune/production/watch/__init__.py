"""Watching: are the texts of production still those of the test, and do new labels still show the verdict's figures?"""

from pretune.production.watch.arrivals import Cut
from pretune.production.watch.gauges import exposition, gauges_of
from pretune.production.watch.live import Monitor, open_monitor
from pretune.production.watch.path import watch_file

__all__ = ["Cut", "Monitor", "exposition", "gauges_of", "open_monitor", "watch_file"]
