"""Pure functions over arrays; TA-Lib computes wherever it has the indicator."""
