"""Who may look at a site and change it: users, roles, sessions, tokens, and a record of what they did."""
