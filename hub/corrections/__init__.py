"""What operators say about identities: acts, the constraints that follow from them for ever, and the way back."""
