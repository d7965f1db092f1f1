"""An adaptation without labels: guess who is who, learn from the guess, guess again."""
