"""What `passerby review` is made of: the pictures of a candidate, and what an act has changed, in words."""
