"""The lab for strangers: limits, rules, each visitor's own runs and queue, and what removes what nobody uses."""
