"""The look of Gradio's own components, so that exhibits sit well beside the widgets. No network fonts."""

from __future__ import annotations

import inspect

import gradio as gr

from lab.paths import ASSETS

#: In this order: the ground first, the frame next, then the widgets.
SCRIPTS = (
    "core",
    "compat/gradio",
    "compat/plotly",
    "frame",
    "account",
    "push",
    "sketch",
    "figure",
    "lesson",
    "flow",
    "knobs",
    "form",
    "panel",
    "live",
    "stage",
    "chat",
    "runs",
    "comparison",
    "compare",
    "guide",
)
STYLES = ("base", "frame", "lesson", "bench", "runs", "compare", "account", "gradio")

FONT = ("Inter", "system-ui", "-apple-system", "Segoe UI", "Liberation Sans", "Arial", "sans-serif")
MONO = ("ui-monospace", "SF Mono", "Cascadia Mono", "Menlo", "Consolas", "Liberation Mono", "monospace")


def theme() -> gr.themes.Base:
    """Gradio's variables, set to the page's own (`assets/css/base.css`), so that both themes follow them."""
    names = {
        "body_background_fill": "var(--lab-bg)",
        "body_text_color": "var(--lab-ink)",
        "body_text_color_subdued": "var(--lab-muted)",
        "background_fill_primary": "var(--lab-surface)",
        "background_fill_secondary": "var(--lab-sunken)",
        "border_color_primary": "var(--lab-line)",
        "border_color_accent": "var(--lab-accent)",
        "color_accent": "var(--lab-accent)",
        "color_accent_soft": "var(--lab-accent-soft)",
        "link_text_color": "var(--lab-accent)",
        "link_text_color_hover": "var(--lab-accent)",
        "link_text_color_visited": "var(--lab-accent)",
        "block_background_fill": "var(--lab-surface)",
        "block_border_color": "var(--lab-line)",
        "block_border_width": "1px",
        "block_label_background_fill": "transparent",
        "block_label_text_color": "var(--lab-muted)",
        "block_label_border_width": "0px",
        "block_title_text_color": "var(--lab-ink)",
        "block_title_text_weight": "500",
        "block_info_text_color": "var(--lab-muted)",
        "block_shadow": "none",
        "block_padding": "10px 12px",
        "block_radius": "8px",
        "container_radius": "8px",
        "panel_background_fill": "transparent",
        "panel_border_width": "0px",
        "input_background_fill": "var(--lab-surface)",
        "input_background_fill_focus": "var(--lab-surface)",
        "input_border_color": "var(--lab-line-strong)",
        "input_border_width": "1px",
        "input_border_color_focus": "var(--lab-accent)",
        "input_placeholder_color": "var(--lab-muted)",
        "input_radius": "6px",
        "input_padding": "6px 9px",
        "input_shadow": "none",
        "input_shadow_focus": "none",
        "slider_color": "var(--lab-accent)",
        "checkbox_background_color": "var(--lab-surface)",
        "checkbox_background_color_selected": "var(--lab-accent)",
        "checkbox_border_color": "var(--lab-line-strong)",
        "checkbox_border_color_selected": "var(--lab-accent)",
        "checkbox_label_background_fill": "transparent",
        "checkbox_label_background_fill_selected": "var(--lab-accent-soft)",
        "checkbox_label_text_color": "var(--lab-ink)",
        "checkbox_label_text_color_selected": "var(--lab-ink)",
        "checkbox_label_border_color": "var(--lab-line)",
        "button_primary_background_fill": "var(--lab-accent)",
        "button_primary_background_fill_hover": "var(--lab-accent)",
        "button_primary_text_color": "var(--lab-accent-ink)",
        "button_secondary_background_fill": "var(--lab-surface)",
        "button_secondary_background_fill_hover": "var(--lab-sunken)",
        "button_secondary_border_color": "var(--lab-line)",
        "button_secondary_text_color": "var(--lab-ink)",
        "button_border_width": "1px",
        "button_large_radius": "6px",
        "button_medium_radius": "6px",
        "button_small_radius": "6px",
        "button_large_padding": "7px 14px",
        "button_medium_padding": "5px 11px",
        "button_small_padding": "3px 8px",
        "button_large_text_size": "13.5px",
        "button_medium_text_size": "13.5px",
        "button_large_text_weight": "500",
        "table_border_color": "var(--lab-line)",
        "table_even_background_fill": "var(--lab-surface)",
        "table_odd_background_fill": "var(--lab-surface)",
        "table_row_focus": "var(--lab-accent-soft)",
        "table_text_color": "var(--lab-ink)",
        "code_background_fill": "var(--lab-sunken)",
        "accordion_text_color": "var(--lab-ink)",
        "error_background_fill": "var(--lab-bad-soft)",
        "error_border_color": "var(--lab-bad)",
        "error_text_color": "var(--lab-bad)",
        "stat_background_fill": "var(--lab-accent)",
    }
    base = gr.themes.Base(
        primary_hue="indigo",
        neutral_hue="slate",
        text_size="sm",
        spacing_size="sm",
        radius_size="sm",
        font=FONT,
        font_mono=MONO,
    )
    known = inspect.signature(gr.themes.Base.set).parameters
    dark = {f"{name}_dark": value for name, value in names.items() if f"{name}_dark" in known}
    return base.set(**names, **dark)


def css(more: str = "") -> str:
    """The page's own style but for the tokens (`lab.ui.web.Early`); `more` is added to it."""
    # Nested, so that each rule outweighs the resets that Gradio applies to every button and field.
    nested = "\n".join((ASSETS / "css" / f"{name}.css").read_text(encoding="utf-8") for name in STYLES)
    return f"html:root body {{\n{nested}\n{more}\n}}"


def head(plotly: str, more: str = "") -> str:
    """Style and scripts, inline (nothing is fetched but `plotly`, the address of plotly's own on this server).

    The style stands here and not in Gradio's `css`, whose selectors are confined to what is inside the page's
    container. `more` is style too.
    """
    own = "\n".join((ASSETS / "js" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    return (
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{css(more)}\n</style>\n"
        f"<script>\n{own}\n</script>\n"
        f'<script src="{plotly}" defer onload="window.Lab.plotly(window.Plotly)"></script>\n'
    )
