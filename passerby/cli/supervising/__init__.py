"""The hub and the edge as child processes of one terminal: kept running, shown, stopped in order."""
