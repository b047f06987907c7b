"""Measured and published data as they are, read where they are installed."""
