"""From a verdict to production: what serves, watches and hands on a model that was judged."""
