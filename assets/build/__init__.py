"""What makes the assets: `python -m assets.build.base` the model, `python -m assets.build.datasets` the data."""
