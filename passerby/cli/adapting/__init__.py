"""Adaptations on a live site: the job's process, who starts it, and what is shown of it."""
