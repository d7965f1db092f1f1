"""ZeroMQ between edges and hub: CURVE keys, acknowledgement, credit, the edge's spool. docs/wire.md is the text."""

from passerby.transport.allow_list import AllowedEdge, AllowList
from passerby.transport.edge_link import EdgeLink, LinkStats
from passerby.transport.hub_book import Delivery, HubCounters, Unsettled
from passerby.transport.hub_port import ConnectedEdge, HubPort
from passerby.transport.keys import (
    EdgeKeys,
    HubKeys,
    KeyPair,
    LocalKeys,
    load_edge_keys,
    load_hub_keys,
    local_keys,
)
from passerby.transport.spool import Spool

__all__ = [
    "AllowList",
    "AllowedEdge",
    "ConnectedEdge",
    "Delivery",
    "EdgeKeys",
    "EdgeLink",
    "HubCounters",
    "HubKeys",
    "HubPort",
    "KeyPair",
    "LinkStats",
    "LocalKeys",
    "Spool",
    "Unsettled",
    "load_edge_keys",
    "load_hub_keys",
    "local_keys",
]
