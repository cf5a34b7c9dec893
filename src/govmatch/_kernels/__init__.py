"""All compiled loops: plain arrays in, plain arrays out. The only room that imports numba."""
