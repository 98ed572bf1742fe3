"""Whether what lies in Redis is what should lie there.

`reader` takes a snapshot of the keys and streams that are Vela's, `keys` and `streams` judge it without asking anybody
anything, `fixes` does what may be done about it. Keys of other programs are counted and otherwise left alone.
"""
