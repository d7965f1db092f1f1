"""Tracklets described by another model than the one they came with, so that people are found across models."""
