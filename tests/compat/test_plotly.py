"""plotly's own script lies where the page takes it from."""

from __future__ import annotations

from plotly.offline import get_plotlyjs

from lab.compat.plotly import script_file


def test_the_file_is_the_script():
    assert script_file().read_text(encoding="utf-8") == get_plotlyjs()
