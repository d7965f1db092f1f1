"""The whole system on a simulated site, live, and how well it did against the truth."""
