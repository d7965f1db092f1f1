"""Simulated cameras as real RTSP streams."""
