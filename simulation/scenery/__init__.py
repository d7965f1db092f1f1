"""Rooms as pictures: textures, furniture, light, and a ray for every pixel of a background."""
