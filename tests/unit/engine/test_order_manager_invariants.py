"""The order manager against a venue that fills, refuses, loses and is late, in any order of events."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.builders import BTC, ETH, SOL, candle, instrument, signal
from tests.unit.engine.venue import OPEN, Desk, base_moved

from vela.domain.events import SymbolCandle
from vela.domain.order import OrderPurpose, OrderStatus, OrderType
from vela.domain.position import Position
from vela.domain.signal import Action
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.rules import Stake, TradingRules
from vela.engine.step import NOTHING

SYMBOLS = (BTC, ETH, SOL)
S = OrderStatus
symbols = st.sampled_from(SYMBOLS)
answers = st.sampled_from(["fill", "fill", "fill", "partial", "accept", "refuse", "lost", "answer_lost"])
protective_answers = st.sampled_from(["accept", "accept", "accept", "accept", "refuse", "lost", "answer_lost"])
shares = st.sampled_from([Decimal("0.3"), Decimal("0.7"), Decimal(1), Decimal(1), Decimal(1)])
levels = st.sampled_from([0, 10_000, 30_000])


class Account(RuleBasedStateMachine):
    desk: Desk

    @initialize(
        stake=st.sampled_from(["50", "30%", "all"]),
        stop=st.sampled_from([0, 20_000, 20_000]),
        profit=levels,
        part=st.sampled_from([300_000, 500_000, 1_000_000]),
        trailing=levels,
        after=levels,
        even=levels,
        most=st.integers(1, 3),
        in_base=st.booleans(),
    )
    def open(  # noqa: PLR0917  one argument for each thing that is drawn
        self,
        stake: str,
        stop: int,
        profit: int,
        part: int,
        trailing: int,
        after: int,
        even: int,
        most: int,
        in_base: bool,
    ) -> None:
        rules = TradingRules(
            stake=Stake.from_str(stake),
            cooldown_ms=0,
            max_positions=most,
            stop_loss_ppm=stop,
            take_profit_ppm=profit,
            take_profit_part_ppm=part,
            trailing_ppm=trailing,
            trailing_after_ppm=after,
            break_even_after_ppm=even,
        )
        self.desk = Desk(rules, [instrument(symbol) for symbol in SYMBOLS])
        self.desk.venue.takes_fee_in_base = in_base
        self.is_silent = False
        self.dust: dict[TradingSymbol, Decimal] = {}
        for symbol in SYMBOLS:
            self.desk.advance()
            self.desk.quote(symbol, Decimal(100))

    # ---------------------------------------------------------------------------------------------------- what happens

    @rule(symbol=symbols, action=st.sampled_from([Action.BUY, Action.BUY, Action.SELL]), answer=answers)
    def receive_signal(self, symbol, action: Action, answer: str) -> None:
        desk, time = self.desk, self.desk.advance()
        desk.venue.market = answer
        desk.follow(desk.manager.expire_absent(time, time))
        handled = len(desk.outcomes)
        desk.follow(desk.manager.on_signal(signal(action, symbol, candle_time=time), time))
        assert len(desk.outcomes) == handled + 1
        is_entry = action is Action.BUY and desk.outcomes[-1].client_order_id is not None
        assert not (is_entry and desk.switch.is_on)

    @rule()
    def repeat_the_last_signal(self) -> None:
        for outcome in self.desk.outcomes[-1:]:
            if outcome.client_order_id is not None:
                self.desk.advance()
                self.desk.follow(self.desk.manager.resume(outcome.client_order_id))

    @rule(answer=protective_answers)
    def treat_protective_orders(self, answer: str) -> None:
        self.desk.venue.protective = answer

    @rule(symbol=symbols, percent=st.integers(-6, 6), share=shares, silent=st.booleans())
    def move_price(self, symbol, percent: int, share: Decimal, silent: bool) -> None:
        desk = self.desk
        desk.advance()
        price = max(desk.venue.prices[symbol] * (100 + percent) / 100, Decimal(10)).quantize(Decimal("0.01"))
        desk.venue.prices[symbol] = price
        for resting in desk.venue.open_orders(symbol, OrderType.STOP, OrderType.LIMIT):
            request = resting.request
            level = request.stop_price or request.price or Decimal(0)
            is_hit = price <= level if request.type is OrderType.STOP else price >= level
            if is_hit and resting.status in OPEN:
                desk.venue.execute(request.client_order_id, resting.left * share, price)
                break
        self.hear(silent)
        desk.quote(symbol, price)

    @rule(symbol=symbols, share=shares, silent=st.booleans())
    def execute_what_waits(self, symbol, share: Decimal, silent: bool) -> None:
        self.desk.advance()
        for resting in self.desk.venue.open_orders(symbol, OrderType.MARKET):
            self.desk.venue.execute(resting.request.client_order_id, resting.left * share, Decimal(90))
        self.hear(silent)

    @rule(symbol=symbols, kinds=st.sets(st.sampled_from(OrderType), min_size=1), silent=st.booleans())
    def end_what_waits(self, symbol, kinds, silent: bool) -> None:
        self.desk.advance()
        for resting in self.desk.venue.open_orders(symbol, *kinds):
            resting.reason = "the venue's own reason"
            self.desk.venue.end(resting.request.client_order_id, S.EXPIRED)
        self.hear(silent)

    @rule(symbol=symbols, up=st.integers(0, 6), down=st.integers(0, 6))
    def close_candle(self, symbol, up: int, down: int) -> None:
        desk, time = self.desk, self.desk.advance()
        close = float(desk.venue.prices[symbol])
        row = SymbolCandle(symbol, candle(0, close, high=close * (1 + up / 100), low=close * (1 - down / 100)))
        desk.follow(desk.manager.on_candles([row], time))

    @rule(on=st.booleans(), flatten=st.booleans(), answer=answers)
    def turn_the_kill_switch(self, on: bool, flatten: bool, answer: str) -> None:
        self.desk.advance()
        self.desk.venue.market = answer
        self.desk.turn(on=on, flatten=flatten)

    @rule()
    def hear_everything(self) -> None:
        self.hear(silent=False)

    @rule()
    def ask_for_unknown_orders(self) -> None:
        self.desk.advance()
        self.desk.ask_unknown()

    @rule()
    def restart(self) -> None:
        self.desk.advance()
        self.desk.restart()
        for symbol in SYMBOLS:
            self.desk.quote(symbol, self.desk.venue.prices[symbol])

    def hear(self, silent: bool) -> None:
        self.is_silent = silent or self.is_silent
        if not silent:
            self.desk.poll()
            self.is_silent = False

    # ------------------------------------------------------------------------------------------------ what always holds

    @invariant()
    def every_cent_is_accounted_for(self) -> None:
        wallet = self.desk.manager.wallet(self.desk.time)
        money = (wallet.cash, wallet.cost, wallet.initial_capital, wallet.realised_pnl, wallet.fees)
        cash, cost, capital, realised, fees = map(Fraction, money)
        assert cash + cost == capital + realised - fees
        assert cost == sum(Fraction(position.cost) for position in self.desk.manager.positions)
        assert fees == sum(
            Fraction(fill.fee) * (1 if fill.fee_asset == "USDT" else Fraction(fill.price)) for fill in self.desk.fills
        )
        assert 0 <= wallet.reserved <= wallet.cash
        closed = sum(Fraction(trade.pnl) for trade in self.desk.trades)
        still_open = sum(Fraction(p.realised_pnl) - Fraction(p.fees) for p in self.desk.manager.positions)
        assert realised - fees == closed + still_open

    @invariant()
    def positions_are_the_sum_of_their_fills(self) -> None:
        held = {position.symbol: position.quantity for position in self.desk.manager.positions}
        for symbol in SYMBOLS:
            total = sum((base_moved(fill) for fill in self.desk.fills if fill.symbol == symbol), Decimal(0))
            assert self.desk.balances.get(("holdings", symbol.base), 0) == total
            if symbol in held:
                assert held[symbol] == total - self.dust.get(symbol, 0)
            else:  # what was too little to be sold stays on the account
                assert 0 <= (total - self.dust.get(symbol, 0)) * self.desk.venue.prices[symbol] < 5
                self.dust[symbol] = total

    @invariant()
    def not_too_many_positions(self) -> None:
        entering = {o.symbol for o in self.desk.manager.live_orders if o.purpose is OrderPurpose.ENTRY}
        held = {position.symbol for position in self.desk.manager.positions}
        assert len(entering | held) <= self.desk.rules.max_positions

    @invariant()
    def the_record_holds_all_that_a_restart_needs(self) -> None:
        manager, desk = self.desk.manager, self.desk
        absent = manager._absent._waiting
        live = {order.client_order_id: order for order in manager.live_orders} | absent
        assert {name: order for name, order in desk.orders.items() if order.is_live} == live
        assert desk.positions == {position.symbol: position for position in manager.positions}

    @invariant()
    def every_position_is_protected(self) -> None:
        if self.is_silent:
            return
        for position in self.desk.manager.positions:
            mine = [o for o in self.desk.manager.live_orders if o.symbol == position.symbol]
            stops = [o for o in mine if o.purpose is OrderPurpose.STOP]
            is_leaving = any(o.purpose is OrderPurpose.EXIT for o in mine)
            is_open_question = any(o.status is S.UNKNOWN for o in mine)
            assert not any(o.status is S.SENT for o in mine)
            rules = next(rule for rule in self.desk.instruments if rule.symbol == position.symbol)
            orderable = rules.orderable_part(position.quantity)
            if position.stop_ticks is None or is_leaving or is_open_question or not orderable:
                continue
            if position.symbol in self.desk.refused:
                assert self.desk.manager.stop_state(position) in {"guarded", "resting"}
                continue
            assert self.desk.manager.stop_state(position) == "resting"
            if any(stop.status is S.PARTIALLY_FILLED for stop in stops):
                continue  # being executed: replaced once the venue is done with it
            assert sum(stop.open_quantity for stop in stops) == orderable
            assert all(self.desk.venue.is_open(stop.client_order_id) for stop in stops)
            at_target = [o.open_quantity for o in mine if o.purpose is OrderPurpose.TAKE_PROFIT]
            wanted = min(position.target_quantity, orderable)
            if not self.waits_for_target(position):
                assert at_target == ([wanted] if position.target_ticks is not None else [])

    def waits_for_target(self, position: Position) -> bool:
        # A target that the price had reached when it was to be placed waits until the price has come back.
        mine = [o for o in self.desk.manager.live_orders if o.symbol == position.symbol]
        return position.target_ticks is not None and all(o.purpose is not OrderPurpose.TAKE_PROFIT for o in mine)

    @precondition(lambda self: not self.is_silent)
    @invariant()
    def nothing_new_asks_for_nothing(self) -> None:
        manager, venue = self.desk.manager, self.desk.venue
        waiting = {position.symbol for position in manager.positions if self.waits_for_target(position)}
        for order in manager.live_orders:
            is_settled = order.symbol not in self.desk.refused | waiting and order.status is not S.UNKNOWN
            if is_settled and venue.is_open(order.client_order_id):
                assert manager.on_reports([venue.report(order.client_order_id)]) is NOTHING
        assert manager.expire_absent(0, self.desk.time) is NOTHING
        assert manager.on_candles([], self.desk.time) is NOTHING


Account.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAccount = Account.TestCase
