"""Who may ask: a token, or on this machine alone no page of a browser that is not the server's own."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Request

from lifeboat.deploy.server.settings import TOKEN, Settings
from lifeboat.scoring.answers import Answer, refusal

# what tells nothing of the model: a load balancer and a browser ask these before they have a token
FREE = frozenset({"/livez", "/readyz", "/ping", "/health", "/v2/health/live", "/v2/health/ready"})
OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def refused(request: Request, settings: Settings) -> Answer | None:
    """Why a request is not answered; None where it is."""
    if settings.token:
        if request.path in FREE or request.path == "/" or request.path.startswith("/page/"):
            return None
        kind, _, presented = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer" and hmac.compare_digest(presented.strip().encode(), settings.token.encode()):
            return None
        detail = _detail("Authorization", "none" if not kind else "another", f"Bearer and the server's {TOKEN}")
        return refusal(401, "this server answers those who carry its token", [detail], "unauthorized")
    return _foreign(request) if settings.checks_origin else None


def _foreign(request: Request) -> Answer | None:
    """Why a request is not of this machine's own; a browser says by Host and Origin on whose behalf it asks."""
    host = request.headers.get("Host", "")
    if _name(f"//{host}") not in OWN_NAMES:
        allowed = "localhost or 127.0.0.1; with a token or --no-auth any"
        return refusal(403, f"this server is not called {host[:100]!r}", [_detail("Host", host, allowed)], "foreign")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{host}":
        detail = _detail("Origin", origin, f"http://{host}, or none")
        return refusal(403, "a page of another origin may not ask this server", [detail], "foreign")
    return None


def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _detail(field: str, got: str, allowed: str) -> dict[str, str | None]:
    return {"row": None, "field": field, "got": got[:100] or "none", "allowed": allowed}
