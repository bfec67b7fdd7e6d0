"""``report.html``: one file, no script, no network."""
