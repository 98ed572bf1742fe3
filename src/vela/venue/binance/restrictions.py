"""The endpoints that tell what the API key may do, and how fees are paid."""

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


def _fees_in_bnb(desk: Desk, parameters: Parameters) -> object:
    parameters.finish()
    return {"spotBNBBurn": desk.venue.exchange.fees.asset == "BNB", "interestBNBBurn": False}


RESTRICTIONS = {
    ("GET", "/sapi/v1/account/apiRestrictions"): Endpoint(_restrictions, 1, Security.SIGNED),
    ("GET", "/sapi/v1/bnbBurn"): Endpoint(_fees_in_bnb, 1, Security.SIGNED),
}
