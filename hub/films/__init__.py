"""Films that somebody brings by the web: what is asked about them, how far that is, what is answered."""
