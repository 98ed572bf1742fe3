"""Makes the engine's rules callable from compiled loops: the same functions, never copied.

Numba compiles their source as it stands. What it compiled is kept on disk under a name that changes with the source of
every rule and loop, so that a rule that was changed is never served from an older cache.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.extending import register_jitable

from vela.domain import execution_rules
from vela.engine import exits, gate

RULES = (
    execution_rules.part_up,
    execution_rules.market_fill_ticks,
    execution_rules.order_slippage_ppm,
    execution_rules.stop_fill_ticks,
    execution_rules.limit_fill_ticks,
    exits.level_below,
    exits.level_above,
    exits.stop_level,
    exits.lowest_exit,
    exits.target_level,
    exits.steps_at_target,
    exits.gain_reached,
    exits.tighter,
    exits.trailing_level,
    exits.break_even_level,
    exits.tightened_stop,
    gate.entry_refusal,
)
"""Every rule that compiled loops call."""


def _source_digest() -> str:
    digest = hashlib.sha256(sys.version.encode())
    modules = [Path(module.__file__ or "") for module in (execution_rules, exits, gate)]
    for file in (*modules, *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _cache_root() -> Path:
    chosen = os.environ.get("XDG_CACHE_HOME")
    root = Path(chosen) if chosen else Path.home() / ".cache"
    return root if os.access(root if root.exists() else root.parent, os.W_OK) else Path(tempfile.gettempdir())


_settings: Any = numba.config
if not _settings.CACHE_DIR:
    _settings.CACHE_DIR = str(_cache_root() / "vela" / f"compiled-{_source_digest()}")
for _rule in RULES:
    register_jitable(_rule)

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Numba counts references to every array that is handed on; where dozens are, for every candle, that would cost many
# times the work itself: functions that only fill arrays can do without. And a call would copy the records of arrays
# that it is given: each function is put in place where it is called.
_IN_ONE_PIECE: dict[str, Any] = {"cache": True, "error_model": "numpy", "_nrt": False, "forceinline": True}
_NOT_FROM_PYTHON: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function: _Function) -> _Function:
    """Compile a function that makes no arrays, at its first call, and keep it on disk."""
    loop: _Function = numba.njit(**_IN_ONE_PIECE)(function)
    return loop


def compiled_part(function: _Function) -> _Function:
    """Compile a function that only compiled ones call: what Python would need to call it takes longest to compile."""
    part: _Function = numba.njit(**_IN_ONE_PIECE, **_NOT_FROM_PYTHON)(function)
    return part
