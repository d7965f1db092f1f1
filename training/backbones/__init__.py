"""Networks that training starts from, each in its own file."""
