"""Vela, with every trade in exact decimals and all statistics, which some peers always work out."""

from __future__ import annotations

from functools import partial

from bench.peers import peer_vela, work

from vela.backtest import BacktestResult

if __name__ == "__main__":
    tasks = {"crossover": peer_vela.crossover, "reversion": peer_vela.reversion, "shared": peer_vela.shared}
    work.main("vela-trading", {name: partial(task, then=BacktestResult.summary) for name, task in tasks.items()})
