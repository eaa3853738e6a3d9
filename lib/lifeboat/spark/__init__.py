"""Spark: its Java, its environment, its session, and what it saves."""
