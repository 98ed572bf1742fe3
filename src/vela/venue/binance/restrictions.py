"""The endpoint that tells what the API key may do."""

from __future__ import annotations

from vela.venue.binance.desk import Desk, Endpoint, Security
from vela.venue.binance.parameters import Parameters

_CREATED = 1_735_689_600_000  # 2025-01-01: older than any candle played at life speed


def _restrictions(desk: Desk, parameters: Parameters) -> object:
    parameters.finish()
    return {
        "ipRestrict": False,
        "createTime": _CREATED,
        "enableReading": True,
        "enableWithdrawals": desk.terms.key_may_withdraw,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": True,
        "enablePortfolioMarginTrading": False,
    }


RESTRICTIONS = {("GET", "/sapi/v1/account/apiRestrictions"): Endpoint(_restrictions, 1, Security.SIGNED)}
