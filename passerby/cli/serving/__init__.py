"""What `passerby web` is made of."""
