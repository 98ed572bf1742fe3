"""The bus between processes: Redis Streams.

`bus` is the port made real; `lane` publishes to a topic, `inbox` collects for a consumer, `scripts` holds what the
server does as one step, `names` what all of it is called.
"""
