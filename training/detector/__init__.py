"""A small person detector of our own: network, assignment of boxes to anchors, losses, training, export."""
