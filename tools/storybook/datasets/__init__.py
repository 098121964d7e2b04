"""The data sets that the project writes itself: `python -m tools.storybook.datasets` rebuilds `assets/data/`."""
