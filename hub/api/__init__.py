"""The REST interface of a site, under /api/v1."""

from hub.api.app import make_api

__all__ = ["make_api"]
