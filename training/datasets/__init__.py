"""What networks are trained on, kept on disk."""
