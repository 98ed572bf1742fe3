from __future__ import annotations

from decimal import Decimal
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import BTC, candle, fill, order, position, signal, trade, wallet

from vela.domain import events as e
from vela.domain.assets import QuoteCurrency
from vela.domain.candles import CandleFault
from vela.domain.codec import decode, decode_hook, encode, encode_hook
from vela.domain.errors import BusError
from vela.domain.jobs import BacktestRequest, Job, JobState
from vela.domain.order import OrderPurpose
from vela.domain.regime import MarketRegime
from vela.domain.signal import Action, Decision, SignalOutcome
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

ETH_BTC = TradingSymbol("ETH", QuoteCurrency.BTC)
ROW = e.SymbolCandle(BTC, candle(60_000, 100.5, high=101.25, low=99.0))
DECISION = Decision(
    BTC, 60_000, Action.HOLD, "S", MarketRegime.UNKNOWN, 0.0, "no_signal", {"fast": 0.1, "slow": 1e-300}
)

REQUEST = BacktestRequest("S", {"fast": "10"}, (BTC, ETH_BTC), Timeframe.H1, 5, 10, {"stake": "5%"})

EXAMPLES: tuple[e.AnyMessage, ...] = (
    e.CandlesClosed(
        time=120_000,
        timeframe=Timeframe.M1,
        candles=(ROW,),
        backfilled=(ROW, ROW),
        gaps=(e.Gap(ETH_BTC, 60_000, 180_000, 3),),
        refused=(e.RefusedCandle(BTC, 60_001, CandleFault.OFF_GRID),),
    ),
    e.MarketEnded(time=1),
    e.PricesMoved(time=2, ticks=(e.Tick(BTC, 100.0, 99.5, 100.5), e.Tick(ETH_BTC, 0.1, 0.1, 0.1, jump=True))),
    e.RegimeChanged(time=3, symbol=ETH_BTC, regime=MarketRegime.BULL_TREND, previous=MarketRegime.UNKNOWN),
    e.DecisionsMade(time=4, decisions=(DECISION,)),
    e.SignalsRaised(time=5, signals=(signal(Action.SELL, confidence=0.123456789),)),
    e.SignalHandled(time=6, outcome=SignalOutcome(signal(), None, "cooldown")),
    e.OrderChanged(time=7, order=order(reserved=Decimal("50.05"), filled_value=Decimal("1e-18"))),
    e.OrderFilled(time=8, fill=fill("0.1", "123456789.123456789"), purpose=OrderPurpose.STOP, reason="stop_loss"),
    e.PositionChanged(
        time=9, position=position(target_ticks=1), stop_price=Decimal("98.00"), target_price=None, stop_state="resting"
    ),
    e.PositionClosed(time=10, trade=trade()),
    e.WalletChanged(time=11, wallet=wallet(), marked=True),
    e.Alert(time=12, level="warning", text="žluťoučký – 🐎"),
    e.ServiceBeat(time=13, service="brain", state=e.ServiceState.FAILED, restarts=2, detail="why"),
    e.HistoryRequested(time=14, request_id="brain-1", symbols=(BTC, ETH_BTC), count=200),
    e.HistoryServed(time=15, request_id="brain-1", histories=(e.SymbolHistory(BTC, (ROW.candle,)),)),
    e.BacktestRequested(time=16, job_id="1", request=REQUEST),
    e.JobCancelRequested(time=17, job_id="1"),
    e.JobChanged(
        time=18,
        job=Job(
            "1",
            REQUEST,
            17,
            JobState.DONE,
            summary={"trades": 3, "win_rate_pct": 2.0, "fees_paid": "1.10", "sharpe": None},
        ),
    ),
)


def envelope(message: e.AnyMessage) -> e.Envelope:
    return e.Envelope("orders-1", 1_700_000_000_000, message)


def packed(message: object) -> bytes:
    return msgspec.msgpack.encode(["orders-1", 5, message])


def test_there_is_an_example_of_every_message_type():
    assert {type(example) for example in EXAMPLES} == set(get_args(e.AnyMessage))


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_a_message_arrives_as_it_was_sent(message: e.AnyMessage):
    arrived = decode(encode(envelope(message)))
    assert arrived == envelope(message)
    assert type(arrived.message) is type(message)
    assert encode(arrived) == encode(envelope(message))


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_a_message_cut_short_anywhere_is_refused(message: e.AnyMessage):
    data = encode(envelope(message))
    for length in range(len(data)):
        with pytest.raises(BusError):
            decode(data[:length])


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_a_damaged_message_is_refused_or_read_and_nothing_else(message: e.AnyMessage):
    data = encode(envelope(message))
    for place in range(0, len(data), 3):
        for value in (0x00, 0x80, 0xC0, 0xC1, 0xCB, 0xFF):
            try:
                decode(data[:place] + bytes([value]) + data[place + 1 :])
            except BusError:
                continue


@given(st.binary())
def test_bytes_at_random_are_refused(data: bytes):
    with pytest.raises(BusError):
        decode(data)


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x91" * 100_000, packed({}), packed({"type": "Nothing"}), packed(None)]
)
def test_what_is_no_envelope_is_refused(data: bytes):
    with pytest.raises(BusError, match="bytes are no message"):
        decode(data)


def regime_change(symbol: object) -> dict[str, object]:
    return {"type": "RegimeChanged", "time": 1, "symbol": symbol, "regime": "unknown", "previous": "unknown"}


@pytest.mark.parametrize("symbol", ["", "banana", "../BTC", 5, None, 1.5, b"BTC", ["BTC"], {"base": "BTC"}])
def test_a_symbol_that_is_none_is_refused(symbol: object):
    with pytest.raises(BusError):
        decode(packed(regime_change(symbol)))


def test_symbols_travel_as_their_short_text():
    assert b"ETH/BTC" in encode(envelope(EXAMPLES[3]))
    assert decode(packed(regime_change("btc-usdt"))).message == e.RegimeChanged(
        time=1, symbol=BTC, regime=MarketRegime.UNKNOWN, previous=MarketRegime.UNKNOWN
    )


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "sNaN", "Infinity", "abc", ""])
def test_a_fill_that_cannot_be_is_refused(price: str):
    sent = msgspec.to_builtins(EXAMPLES[8], enc_hook=encode_hook)
    sent["fill"]["price"] = price
    with pytest.raises(BusError):
        decode(packed(sent))


@pytest.mark.parametrize(("field", "value"), [("time", "soon"), ("version", 1.5), ("regime", "calm"), ("previous", 3)])
def test_every_field_is_checked_against_its_type(field: str, value: object):
    with pytest.raises(BusError):
        decode(packed({**regime_change("BTC"), field: value}))


def test_a_field_from_a_newer_version_is_passed_over():
    assert decode(packed({**regime_change("BTC"), "version": 2, "mood": "good"})).message.version == 2


def test_what_has_no_place_in_a_message_is_refused():
    wrong = e.DecisionsMade(time=1, decisions=(object(),))  # type: ignore[arg-type]
    with pytest.raises(BusError, match="DecisionsMade cannot be encoded"):
        encode(envelope(wrong))
    with pytest.raises(BusError, match="cannot be encoded"):
        encode(envelope(e.MarketEnded(time=2**70)))


def test_hooks_only_know_symbols():
    assert encode_hook(ETH_BTC) == "ETH/BTC"
    assert decode_hook(TradingSymbol, "ETH/BTC") == ETH_BTC
    for call in (lambda: encode_hook(object()), lambda: decode_hook(set, "BTC"), lambda: decode_hook(TradingSymbol, 5)):
        with pytest.raises(TypeError):
            call()
