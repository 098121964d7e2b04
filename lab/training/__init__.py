"""Training: the loop, its exact memory ledger, its queue, and the same work as a script."""
