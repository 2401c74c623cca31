"""A Jupyter front end and a Chromium to open it in: what browser tests and benchmarks share."""
