"""Readers of the formats that people bring: each yields rows and holds one row at a time."""
