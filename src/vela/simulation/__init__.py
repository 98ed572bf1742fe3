"""The pretend market: matching, fills, fees and a synthetic price process."""
