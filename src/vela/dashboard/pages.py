"""Static files, and the few pages that are not built: logging in, and a checkout without its page."""

from __future__ import annotations

from html import escape
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from vela.dashboard.answers import refusal
from vela.dashboard.auth import COOKIE, COOKIE_SECONDS, LoginLimit, LoginTokens

# The system's own table may be missing or wrong, and browsers are told not to guess.
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_LONGEST_TOKEN = 200
# Of the pages that are not built; the gate lets exactly this one through.
STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 36rem; margin: 15vh auto; padding: 0 1.5rem }
pre { padding: .75rem 1rem; border: 1px solid; border-radius: .5rem; font-size: 1.1rem }
"""


def login_routes(tokens: LoginTokens, limit: LoginLimit) -> APIRouter:
    """Return `/login`, which turns a one-time token into a cookie."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    def login(request: Request, token: str = "") -> Response:
        if not limit.allows(request.client.host if request.client else ""):
            answer = _page(429, "Too many attempts", "Wait a minute, then open the link again.")
            answer.headers["Retry-After"] = "60"
            return answer
        cookie = tokens.redeem(token) if 0 < len(token) <= _LONGEST_TOKEN else None
        if cookie is None and not tokens.is_session(request.cookies.get(COOKIE)):
            return _page(
                401,
                "This link does not work any more",
                "Each link works once and only for a while. Print a fresh one where Vela runs:",
                "vela login-link",
            )
        redirect = RedirectResponse("/", 303)
        if cookie is not None:
            secure = request.url.scheme == "https"
            redirect.set_cookie(
                COOKIE, cookie, max_age=COOKIE_SECONDS, path="/", httponly=True, samesite="strict", secure=secure
            )
        return redirect

    return router


def static_routes(directory: Path) -> APIRouter:
    """Return the built page and its files; nothing outside `directory` is served."""
    router = APIRouter(include_in_schema=False)
    root = directory.resolve()

    @router.get("/")
    def index() -> Response:
        page = root / "index.html"
        if page.is_file():
            return _file(page, root)
        return _page(
            503,
            "The page is not built yet",
            "Vela runs, and its API answers; only the page's files are missing from this checkout. Build them with",
            "make setup",
        )

    @router.get("/{path:path}")
    def file(path: str) -> Response:
        found = _inside(root, path)
        return refusal(404, f"no page {path[:60]!r}", "/") if found is None else _file(found, root)

    return router


def _inside(root: Path, path: str) -> Path | None:
    try:
        found = (root / path).resolve()
        served = found.is_relative_to(root) and found.is_file()
    except (OSError, ValueError):  # too long, or with a zero byte
        return None
    hidden = served and any(part.startswith(".") for part in found.relative_to(root).parts)
    return found if served and not hidden else None


def _file(path: Path, root: Path) -> Response:
    # Names under assets/ carry a hash of their content.
    hashed = path.is_relative_to(root / "assets")
    headers = {"Cache-Control": "public, max-age=31536000, immutable" if hashed else "no-cache"}
    return FileResponse(path, media_type=_TYPES.get(path.suffix, "application/octet-stream"), headers=headers)


def _page(status: int, title: str, text: str, command: str = "") -> HTMLResponse:
    code = f"<pre>{escape(command)}</pre>" if command else ""
    return HTMLResponse(
        f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Vela: {escape(title)}</title>
<style>{STYLE}</style></head>
<body><h1>{escape(title)}</h1><p>{escape(text)}</p>{code}</body>
</html>
""",
        status,
    )
