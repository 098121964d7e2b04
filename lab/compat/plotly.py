"""plotly: the file of its script."""

from __future__ import annotations

from pathlib import Path


def script_file() -> Path:
    """plotly.js, as the Python package ships it.

    Why: `plotly.offline.get_plotlyjs` gives the text, and a page is served files.
    Without it: the page would fetch the script from another machine.
    Seen on: plotly 7.1.
    """
    import plotly

    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
