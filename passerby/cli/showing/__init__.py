"""Figures drawn in text and as SVG."""
