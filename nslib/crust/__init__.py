"""Crust: outer crust from a mass table, inner crust by a liquid drop, and the join to any core."""

from nslib.crust.join import JoinStatus, join
from nslib.crust.unified import sly4

__all__ = ["JoinStatus", "join", "sly4"]
