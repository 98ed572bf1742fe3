"""The older system's SQLite file, taken over as history.

`values` reads what a column holds, `tables` says which columns there may be and makes rows of them, `file` opens the
file for reading only, `importer` writes. The account's own books are not touched: what another program did with other
money is no part of them.
"""
