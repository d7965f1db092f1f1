"""People who are known by name because somebody enrolled them, and how probable it is that whom a picture shows is one.

Enrolment is apart from what the cameras see: it has a reason and an end, and is deleted by name.
"""
