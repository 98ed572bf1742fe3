"""The simulated exchange as a server of its own, speaking the protocol of a real one, with faults on demand."""
