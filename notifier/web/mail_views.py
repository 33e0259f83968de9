"""Views of a mail for a browser: its HTML as a light or a dark mail program shows it."""

import re

_DARK = "@media (prefers-color-scheme:dark)"
_HEAD = re.compile(r"<head>", re.IGNORECASE)

# A mail in a frame: it has styles in its elements, and runs and loads nothing. Its links open in a
# new window, for the frame must not become another page.
MAIL_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}


def in_scheme(html: str, *, dark: bool) -> str:
    """Return a mail as it looks in a colour scheme, whatever the browser prefers."""
    scheme = "dark" if dark else "light"
    html = html.replace(_DARK, "@media all" if dark else "@media not all")
    return html.replace("color-scheme:light dark", f"color-scheme:{scheme}", 1)


def in_frame(html: str, *, dark: bool) -> str:
    """Return a mail to be shown in a frame, with links that open in a new window."""
    return _HEAD.sub('<head><base target="_blank">', in_scheme(html, dark=dark), count=1)
