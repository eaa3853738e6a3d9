"""Who may ask: a token, or on this machine alone no page of a browser that is not the server's own."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from lifeboat.deploy.server.settings import TOKEN, Settings
from lifeboat.deploy.server.wsgi import Application, Environ, Start, send
from lifeboat.scoring.answers import Answer, refusal

# what tells nothing of the model: a load balancer and a browser ask these before they have a token
FREE = frozenset({"/livez", "/readyz", "/ping", "/health", "/v2/health/live", "/v2/health/ready"})
CHALLENGE = "WWW-Authenticate", "Bearer"
OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def guarded(application: Application, settings: Settings) -> Application:
    """A WSGI application before another that lets through who may ask."""

    def answer(environ: Environ, start: Start) -> Iterable[bytes]:
        if (refused := turned_away(environ, settings)) is None:
            return application(environ, start)
        return send(refused, environ, start, *([CHALLENGE] if refused.status == 401 else []))

    return answer


def turned_away(environ: Environ, settings: Settings) -> Answer | None:
    """What who may not ask is told; None to who may."""
    if settings.token:
        return _without_token(environ, settings.token)
    return _foreign(environ) if settings.checks_origin else None


def _without_token(environ: Environ, token: str) -> Answer | None:
    """Why a request that should carry a token is not answered; None where it is."""
    path = environ["PATH_INFO"]
    if path in FREE or path == "/" or path.startswith("/page/"):
        return None
    kind, _, presented = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if kind.lower() == "bearer" and hmac.compare_digest(presented.strip().encode(), token.encode()):
        return None
    detail = _detail("Authorization", "none" if not kind else "another", f"Bearer and the server's {TOKEN}")
    return refusal(401, "this server answers those who carry its token", [detail], "unauthorized")


def _foreign(environ: Environ) -> Answer | None:
    """Why a request is not of this machine's own; a browser says by Host and Origin on whose behalf it asks."""
    host = environ.get("HTTP_HOST", "")
    if _name(f"//{host}") not in OWN_NAMES:
        allowed = "localhost or 127.0.0.1; with a token or --no-auth any"
        return refusal(403, f"this server is not called {host[:100]!r}", [_detail("Host", host, allowed)], "foreign")
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and origin != f"http://{host}":
        detail = _detail("Origin", origin, f"http://{host}, or none")
        return refusal(403, "a page of another origin may not ask this server", [detail], "foreign")
    return None


@lru_cache(maxsize=64)
def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _detail(field: str, got: str, allowed: str) -> dict[str, str | None]:
    return {"row": None, "field": field, "got": got[:100] or "none", "allowed": allowed}
