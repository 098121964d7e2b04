"""A list of plans under one protocol: how it is written, run, measured, judged and told."""
