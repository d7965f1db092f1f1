"""What `enroll`, `verify`, `identify` and `search` share: from a film or pictures to the people in them."""
