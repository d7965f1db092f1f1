"""The times and bounds of the protocol, in one place. docs/wire.md states them."""

WINDOW_BYTES = 32 << 20
"""An edge stops sending reliable messages while this much is under way, whatever its credit."""

PROCESSES_PER_KEY = 4
"""How many windows' worth of unsettled messages the hub holds for one key."""

HEARTBEAT_S = 1.0
"""The edge speaks at least this often; the hub answers each heartbeat at once."""

SILENCE_S = 6.0
"""A side that has heard nothing for so long gives the connection up."""

WELCOME_TIMEOUT_S = 6.0
"""From connecting to the hub's Welcome."""

HANDSHAKE_S = 5.0
"""For a connection to prove its key."""

BACKOFF_S = (0.1, 10.0)
"""The wait before connecting again: first, and at most. Each is shortened by up to a half at random."""

SOCKET_MESSAGES = 64
"""ZeroMQ's own queues, each way; the real bounds are the window and the spool."""

INBOX_MESSAGES = 256
"""Lossy messages that wait for the hub's, or the edge's, main loop."""

OFFERED_MESSAGES = 16
"""Lossy messages that wait in the edge to be sent."""

OUTBOX_BYTES = 64 << 20
"""What the hub holds to be sent to all edges; over it `HubPort.send` answers False."""
