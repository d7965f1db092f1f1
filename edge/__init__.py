"""One worker per camera: frames in, tracklets with embeddings out. Knows nothing of the hub but its messages."""
