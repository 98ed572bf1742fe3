"""One strategy per file; `base` is the contract they are written against, `registry` finds them."""
