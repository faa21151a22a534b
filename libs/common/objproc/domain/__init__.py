"""The pure core: standard library only; no I/O, clock, chance or async. Inputs in, events out."""
