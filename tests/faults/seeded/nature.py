"""What a seed draws before a life begins: the account, the market, and how often what goes wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

from tests.builders import BTC, ETH

from vela.domain.execution_rules import PPM
from vela.domain.instrument import Instrument
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.rules import Stake, TradingRules
from vela.simulation.spot_fees import SpotFees

BNB = TradingSymbol("BNB")
PRICES = {BTC: Decimal(100), ETH: Decimal(50), BNB: Decimal(20)}
FEE = Decimal("0.001")
# How often which move. Where prices often go to what rests, few positions live to see a candle close: no stop trails
# then, and no signal ends them.
MOODS = {
    "restless": ("drift", "drift", "drift", "touch", "touch", "beyond", "jump"),
    "rising": ("rise", "rise", "rise", "rise", "rise", "rise", "drift", "drift", "touch"),
    "quiet": ("drift", "drift", "drift", "drift", "drift", "drift", "drift", "touch", "jump"),
}


def dice(seed: int, purpose: str) -> random.Random:
    """Return chance for one purpose: whoever draws more often does not change what others draw."""
    return random.Random(f"{seed} {purpose}")  # noqa: S311  no secrets


@dataclass(frozen=True, slots=True)
class Odds:
    """How likely what goes wrong.

    Attributes:
        command, query: a request for a change, or a question.
        event: something that the venue tells of its own accord.
        death: an end of the process, per second.
        commit: a write that fails, per second.
        cut: the loss of the connection for events, per second.
        halt, switch: a halt of the market, a turn of the kill switch, per second.
        lag: questions are answered late, per second.
        thin: a move of the market on little volume.
        deaf: the service does not hear of a price.
    """

    command: float = 0.0
    query: float = 0.0
    event: float = 0.0
    death: float = 0.0
    commit: float = 0.0
    cut: float = 0.0
    halt: float = 0.0
    switch: float = 0.0
    lag: float = 0.0
    thin: float = 0.0
    deaf: float = 0.0


PEACE = Odds()


@dataclass(frozen=True, slots=True)
class Nature:
    """What does not change in a life.

    Attributes:
        rules: the account's.
        instruments: what is traded.
        listed: what the venue lists, which is more where fees are paid in an asset of their own.
        fees: the venue's.
        balances: what the account holds there in the beginning.
        is_flat: the book has no spread, and no depth but at one price.
        mood: how prices move, one of `MOODS`.
        order_limit: new orders that the venue takes per ten seconds.
        slowness: how slow the machine is.
        seconds: how long things go wrong.
        odds: how often.
    """

    rules: TradingRules
    instruments: tuple[Instrument, ...]
    listed: tuple[Instrument, ...]
    fees: SpotFees
    balances: dict[str, Decimal]
    is_flat: bool
    mood: str
    order_limit: int
    slowness: float
    seconds: float
    odds: Odds


def nature(seed: int) -> Nature:
    """Draw one."""
    chance = dice(seed, "nature")
    symbols = [BTC, ETH][: chance.choice((1, 2, 2))]
    fees = chance.choice((_in_quote(), _in_received(), _in_received(), _in_third()))
    listed_symbols = [*symbols, *([BNB] if fees.asset is not None or chance.random() < 0.1 else [])]
    listed = tuple(_instrument(symbol, chance) for symbol in listed_symbols)
    rules = _rules(chance)
    balances = {rules.quote: rules.initial_capital}
    if fees.asset is not None:
        balances[fees.asset] = Decimal(chance.choice(("0.001", "0.02", "5")))
    # Who pays fees in an asset of which there is too little, pays them out of what was bought of it.
    is_ample = fees.asset is None or balances[fees.asset] > 1
    traded = tuple(one for one in listed if one.symbol in symbols or (is_ample and chance.random() < 0.5))
    return Nature(
        rules=rules,
        instruments=traded,
        listed=listed,
        fees=fees,
        balances=balances,
        is_flat=chance.random() < 0.5,
        mood=chance.choice(("restless", "restless", "rising", "quiet")),
        order_limit=chance.choice((3, 20, 100, 100)),
        slowness=chance.choice((1.0, 2.0, 4.0)),
        seconds=chance.choice((15.0, 25.0, 40.0)),
        odds=_odds(chance),
    )


def _in_quote() -> SpotFees:
    return SpotFees(FEE, FEE, in_quote=True)


def _in_received() -> SpotFees:
    return SpotFees(FEE, FEE)


def _in_third() -> SpotFees:
    return SpotFees(FEE, FEE, asset=BNB.base)


def _instrument(symbol: TradingSymbol, chance: random.Random) -> Instrument:
    # Coarse steps and high minimums make parts that are too little to be sold.
    step = Decimal(chance.choice(("0.00001", "0.001", "0.01")))
    notional = Decimal(chance.choice(("1", "5", "5", "20")))
    return Instrument(symbol, Decimal("0.01"), step, notional, step)


def _rules(chance: random.Random) -> TradingRules:
    exits = {
        "stop": {"stop_loss_ppm": 20_000},
        "target": {"stop_loss_ppm": 20_000, "take_profit_ppm": 15_000},
        "part": {"stop_loss_ppm": 15_000, "take_profit_ppm": 10_000, "take_profit_part_ppm": PPM // 2},
        "trailing": {"stop_loss_ppm": 20_000, "trailing_ppm": 10_000, "break_even_after_ppm": 8_000},
        "all": {
            "stop_loss_ppm": 20_000,
            "take_profit_ppm": 20_000,
            "take_profit_part_ppm": PPM * 3 // 10,
            "trailing_ppm": 12_000,
        },
        "followed": {"stop_loss_ppm": 20_000, "take_profit_ppm": 60_000, "trailing_ppm": 8_000},
        "none": {"stop_loss_ppm": 0},
    }
    names = ("stop", "stop", "target", "part", "part", "trailing", "all", "all", "followed", "followed", "none")
    chosen = exits[chance.choice(names)]
    stake = chance.choice(("50", "50", "25", "20%", "all", "all"))
    return TradingRules(
        initial_capital=Decimal(chance.choice(("1000", "200"))),
        stake=Stake.from_str(stake),
        max_positions=chance.choice((1, 2, 3)),
        cooldown_ms=chance.choice((0, 0, 20_000)),
        fee_rate=FEE,
        slippage_ppm=chance.choice((0, 500)),
        **chosen,  # type: ignore[arg-type]
    )


def _odds(chance: random.Random) -> Odds:
    """Draw which kinds of trouble a life has at all, so that many lives have one kind alone, and some have all."""

    def now_and_then(*likely: float) -> float:
        return chance.choice((0.0, 0.0, *likely))

    return Odds(
        command=now_and_then(0.1, 0.3),
        query=now_and_then(0.1, 0.3),
        event=now_and_then(0.1, 0.4),
        death=now_and_then(0.03, 0.08),
        commit=now_and_then(0.02, 0.05),
        cut=now_and_then(0.03),
        halt=now_and_then(0.02),
        switch=now_and_then(0.01, 0.02),
        lag=now_and_then(0.05, 0.1),
        thin=now_and_then(0.2, 0.5),
        deaf=now_and_then(0.2),
    )
