"""A site of cameras that is not there: rendered people, live streams with faults, and the truth about both."""
