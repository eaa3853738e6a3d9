"""A whole file scored: by Arrow on this machine, or on Spark."""
