"""`passerby dataset`: people cut out of videos, for training without labels."""
