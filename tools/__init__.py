"""What the project needs to make its own files; not part of what is installed."""
