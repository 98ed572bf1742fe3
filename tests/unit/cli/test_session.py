from __future__ import annotations

import gc
import json
from decimal import Decimal

from vela.cli.session import as_contract
from vela.ports.record import Summary

SUMMARY = Summary(
    candles=10,
    decisions=10,
    signals=2,
    orders=3,
    fills=2,
    trades=1,
    open_positions=0,
    refused={"cooldown": 1},
    refused_candles={"duplicate": 2},
    missing_candles=4,
    initial_capital=Decimal("1000.00"),
    final_equity=Decimal("1E+3"),
    realised_pnl=Decimal("-0.10"),
    fees=Decimal("0E-8"),
)


def test_counts_are_numbers_and_money_is_text_without_exponent() -> None:
    values = as_contract(SUMMARY)
    assert (values["candles"], values["trades"], values["missing_candles"]) == (10, 1, 4)
    assert (values["refused"], values["refused_candles"]) == ({"cooldown": 1}, {"duplicate": 2})
    money = [values[key] for key in ("initial_capital", "final_equity", "realised_pnl", "fees")]
    assert money == ["1000", "1000", "-0.1", "0"]
    json.dumps(values)


def test_with_json_the_summary_is_all_of_stdout(vela) -> None:
    run = ("up", "--no-page", "--speed", "max", "--until-end", "--candles", "60", "--symbols", "BTC", "--data-dir", "d")
    answer = vela(*run, "--json")
    assert answer.code == 0
    assert json.loads(answer.out)["candles"] == 60
    assert gc.get_freeze_count(), "the collector looks at everything again while orders wait"
    gc.unfreeze()
    assert "Everything is kept in d" in answer.err


def test_without_json_the_summary_is_for_people_and_stdout_stays_empty(vela) -> None:
    answer = vela(
        *(
            "up",
            "--no-page",
            "--speed",
            "max",
            "--until-end",
            "--candles",
            "300",
            "--symbols",
            "BTC,ETH",
            "--seed",
            "7",
        ),
        *("--cooldown", "8h", "--data-dir", "d"),
    )
    assert (answer.code, answer.out) == (0, "")
    assert "600 candles · 600 decisions" in answer.err
    assert "USDT from 1000" in answer.err
    assert "Refused signals: " in answer.err
    assert "Refused candles" not in answer.err
