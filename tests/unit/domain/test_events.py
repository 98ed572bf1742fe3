from __future__ import annotations

from typing import get_args

import pytest

from vela.domain import events
from vela.domain.events import TOPIC_OF, AnyMessage, Message, Topic

CONTRACT = [
    "market.candles",
    "market.tickers",
    "regimes",
    "signals",
    "decisions",
    "orders",
    "fills",
    "positions",
    "wallet",
    "alerts",
    "health",
    "history",
    "jobs",
]


def test_topics_have_the_promised_names():
    assert [topic.value for topic in Topic] == CONTRACT


def test_every_message_type_has_a_topic_and_can_travel():
    defined = {
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, Message) and kind is not Message
    }
    assert defined == set(TOPIC_OF) == set(get_args(AnyMessage))


def test_every_topic_is_used():
    assert set(TOPIC_OF.values()) == set(Topic)


def test_message_types_are_told_apart_by_name():
    names = [kind.__struct_config__.tag for kind in TOPIC_OF]
    assert names == [kind.__name__ for kind in TOPIC_OF]
    assert len(set(names)) == len(names)


def test_messages_are_immutable_and_versioned():
    ended = events.MarketEnded(time=5)
    assert ended.version == 1
    with pytest.raises(AttributeError):
        ended.time = 6  # type: ignore[misc]
