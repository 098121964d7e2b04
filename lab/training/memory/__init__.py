"""Memory of a training: counted exactly while it runs (`ledger`) and estimated before (`estimate`)."""
