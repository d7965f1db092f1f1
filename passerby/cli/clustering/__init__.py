"""What `passerby cluster` consists of: its input file, and the way from features to labels."""
