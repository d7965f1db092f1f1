"""Running networks: engines behind one protocol, preprocessing, and decoders of detector outputs."""
