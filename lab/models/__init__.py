"""Models: their shape (from a configuration, no weights), where they come from, and how they are loaded."""
