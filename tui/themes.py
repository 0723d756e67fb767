"""The colours, by role: a dark theme, a light one, and one that leaves all to the terminal."""

from textual.theme import Theme

DARK = Theme(
    name="engarde-dark",
    primary="#7aa7f0",
    secondary="#9d8df1",
    accent="#7fd6d0",
    success="#74c991",
    warning="#e8b65a",
    error="#f2777f",
    foreground="#d7dce5",
    background="#0f131a",
    surface="#141923",
    panel="#1d2431",
    dark=True,
    variables={
        "border": "#7aa7f0",
        "border-blurred": "#2f394b",
        "footer-background": "#141923",
        "footer-key-foreground": "#7aa7f0",
        "footer-description-foreground": "#97a1b3",
        "text-quiet": "#8791a5",
        "cursor-line": "#263350",
        "input-selection-background": "#7aa7f0 30%",
    },
)

LIGHT = Theme(
    name="engarde-light",
    primary="#2458b3",
    secondary="#5b46c4",
    accent="#0b6e75",
    success="#1e7243",
    warning="#8a5a00",
    error="#b3261e",
    foreground="#1c232e",
    background="#f5f6f8",
    surface="#ffffff",
    panel="#e6e9ef",
    dark=False,
    variables={
        "border": "#2458b3",
        "border-blurred": "#c3cad6",
        "footer-background": "#e6e9ef",
        "footer-key-foreground": "#2458b3",
        "footer-description-foreground": "#4c5666",
        "text-quiet": "#5a6474",
        "cursor-line": "#d5e1f7",
        "input-selection-background": "#2458b3 25%",
    },
)

PLAIN = Theme(
    name="engarde-plain",
    primary="ansi_default",
    secondary="ansi_default",
    accent="ansi_default",
    success="ansi_default",
    warning="ansi_default",
    error="ansi_default",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    ansi=True,
    variables={
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "border": "ansi_default",
        "border-blurred": "ansi_default",
        "footer-background": "ansi_default",
        "footer-key-foreground": "ansi_default",
        "footer-description-foreground": "ansi_default",
        "text-quiet": "ansi_default",
        "cursor-line": "ansi_default",
        "input-selection-background": "ansi_default",
        "scrollbar": "ansi_default",
        "scrollbar-background": "ansi_default",
    },
)
"""For NO_COLOR (https://no-color.org): nothing but the terminal's own two colours."""

THEMES = (DARK, LIGHT, PLAIN)
