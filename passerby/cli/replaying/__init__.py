"""Recorded footage or a recorded tape through the whole system, as fast as the machine can, the same every time."""
