"""ZeroMQ between edges and hub: CURVE keys, acknowledgement, credit, the edge's spool. docs/wire.md is the text."""
