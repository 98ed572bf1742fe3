"""Copies of the record, taken while it is in use, and put back only if they are whole.

`archive` is the file that a copy lies in, `sqlite` and `postgresql` each take and put back what is in it.
"""
