"""The data sets that the project writes itself: `python -m assets.build.datasets` rebuilds `assets/data/`."""
