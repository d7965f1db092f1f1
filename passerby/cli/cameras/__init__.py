"""What the commands of `passerby camera` share."""
