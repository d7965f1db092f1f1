"""Where the cameras meet: normalization, association, identities and their history."""
