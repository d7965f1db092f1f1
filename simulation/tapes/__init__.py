"""Tapes: simulated sites as wire messages without pictures, with embeddings of known identities and the truth."""
