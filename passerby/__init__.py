"""Passerby: one identity per person across all cameras of a site, adapted to the site without labels."""

__version__ = "0.1.0"
