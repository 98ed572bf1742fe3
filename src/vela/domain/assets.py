"""Currencies, the assets known from the start, and what an asset may be called."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import Final

MAX_ASSET_LENGTH: Final = 32
_ASCII_NAME: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
# Scripts without upper and lower case whose letters cannot be taken for Latin ones.
_SCRIPTS: Final = ("CJK UNIFIED IDEOGRAPH", "HANGUL SYLLABLE", "HIRAGANA LETTER", "KATAKANA LETTER")


class QuoteCurrency(StrEnum):
    """Currencies that prices are quoted in."""

    USDT, USDC, FDUSD, BUSD, TUSD, DAI = "USDT", "USDC", "FDUSD", "BUSD", "TUSD", "DAI"
    BTC, ETH, BNB = "BTC", "ETH", "BNB"
    USD, EUR, GBP, TRY, BRL, AUD, CAD, CHF, JPY = "USD", "EUR", "GBP", "TRY", "BRL", "AUD", "CAD", "CHF", "JPY"


STEADY_ASSETS: Final = frozenset(
    {
        *("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "DAI", "USDP", "PYUSD", "RLUSD", "GUSD", "SUSD", "USDE", "USD1"),
        *("USDD", "FRAX", "LUSD", "XUSD", "BFUSD", "EURC", "EURI", "AEUR", "TGBP"),
        *("USD", "EUR", "GBP", "TRY", "BRL", "AUD", "CAD", "CHF", "JPY"),
    }
)
"""Currencies, and coins that promise to be worth one: what is traded against them is the other side."""


class TradingPair(StrEnum):
    """Assets known from the start; each can be priced in USDT.

    No two of them make the same compact text, so the long form of their symbols can always be read back. Assets whose
    names end in a quote's letters (WBTC, PYUSD, WBETH) are here so that their bare names mean the asset for ever.
    """

    AAVE, ADA, AEUR, AIXBT, ALGO, ANKR, APE, APT = "AAVE", "ADA", "AEUR", "AIXBT", "ALGO", "ANKR", "APE", "APT"
    ARB, ATOM, AVAX, AXS, BAL, BAND, BAT, BCH, BETH = "ARB", "ATOM", "AVAX", "AXS", "BAL", "BAND", "BAT", "BCH", "BETH"
    BNB, BNT, BONK, BTC, BTT, BUSD, CAKE, CBBTC = "BNB", "BNT", "BONK", "BTC", "BTT", "BUSD", "CAKE", "CBBTC"
    CBETH, CELO, CFX, CHZ, COMP, CRO, CRV, CVX, DAI = "CBETH", "CELO", "CFX", "CHZ", "COMP", "CRO", "CRV", "CVX", "DAI"
    DASH, DOGE, DOT, DYDX, EGLD, ENA, ENJ, ENS, EOS = "DASH", "DOGE", "DOT", "DYDX", "EGLD", "ENA", "ENJ", "ENS", "EOS"
    ETC, ETH, ETHFI, EURC, FDUSD, FET, FIL, FLOKI = "ETC", "ETH", "ETHFI", "EURC", "FDUSD", "FET", "FIL", "FLOKI"
    FLOW, FTM, GALA, GMT, GMX, GNO, GRT, GUSD, HBAR = "FLOW", "FTM", "GALA", "GMT", "GMX", "GNO", "GRT", "GUSD", "HBAR"
    HNT, HYPE, ICP, IMX, INJ, IOTA, JASMY, JTO, JUP = "HNT", "HYPE", "ICP", "IMX", "INJ", "IOTA", "JASMY", "JTO", "JUP"
    KAS, KAVA, KCS, KNC, KSM, LDO, LINK, LPT, LRC = "KAS", "KAVA", "KCS", "KNC", "KSM", "LDO", "LINK", "LPT", "LRC"
    LSETH, LTC, LUNA, LUNC, MANA, MASK, MATIC, METH = "LSETH", "LTC", "LUNA", "LUNC", "MANA", "MASK", "MATIC", "METH"
    MINA, MKR, MNT, NEAR, NEO, NOT, OKB, ONDO, ONE = "MINA", "MKR", "MNT", "NEAR", "NEO", "NOT", "OKB", "ONDO", "ONE"
    OP, ORDI, PAXG, PENDLE, PEPE, POL, PYTH, PYUSD = "OP", "ORDI", "PAXG", "PENDLE", "PEPE", "POL", "PYTH", "PYUSD"
    QNT, QTUM, RENDER, RETH, RLUSD, ROSE, RPL, RSR = "QNT", "QTUM", "RENDER", "RETH", "RLUSD", "ROSE", "RPL", "RSR"
    RUNE, RVN, SAND, SEI, SHIB, SNX, SOL, STETH = "RUNE", "RVN", "SAND", "SEI", "SHIB", "SNX", "SOL", "STETH"
    STRK, STX, SUI, SUSD, SUSHI, TAO, TBTC, TGBP = "STRK", "STX", "SUI", "SUSD", "SUSHI", "TAO", "TBTC", "TGBP"
    THETA, TIA, TON, TRUMP, TRX, TUSD, TWT, UBTC = "THETA", "TIA", "TON", "TRUMP", "TRX", "TUSD", "TWT", "UBTC"
    UNI, USDC, USDP, VET, VIRTUAL, WAVES, WBETH = "UNI", "USDC", "USDP", "VET", "VIRTUAL", "WAVES", "WBETH"
    WBTC, WETH, WIF, WLD, WSTETH, XAUT, XLM, XMR = "WBTC", "WETH", "WIF", "WLD", "WSTETH", "XAUT", "XLM", "XMR"
    XRP, XTZ, YFI, ZEC, ZEN, ZIL, ZRO, ZRX = "XRP", "XTZ", "YFI", "ZEC", "ZEN", "ZIL", "ZRO", "ZRX"


def is_valid_asset_name(name: str) -> bool:
    """Tell whether an asset of this name can be registered.

    Accepted are 1 to 32 characters: A–Z, 0–9, and Chinese, Japanese and Korean letters, which exchanges list too. Lower
    case, signs, and scripts that imitate Latin letters are not.
    """
    return 0 < len(name) <= MAX_ASSET_LENGTH and all(
        character in _ASCII_NAME or unicodedata.name(character, "").startswith(_SCRIPTS) for character in name
    )
