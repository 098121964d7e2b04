"""Makes the embedded files: `python -m tools.storybook.base` (the model), `python -m tools.storybook.datasets`."""
