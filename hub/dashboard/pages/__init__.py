"""One file a page: what is shown, and what can be done there."""
