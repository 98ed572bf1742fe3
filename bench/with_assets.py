"""`vela`, with assets known that no exchange listed: `python -m bench.with_assets BENCH0,BENCH1 run brain`."""

from __future__ import annotations

import sys

from vela.cli.main import main
from vela.domain.trading_symbol import register_assets

if __name__ == "__main__":
    register_assets(sys.argv.pop(1).split(","))
    main()
