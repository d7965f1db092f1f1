"""People as pictures: a walking skeleton, the surfaces around it, what is painted on them, and the drawing."""
