"""A naive twin of passerby.features.benefit: every genuine pair against every impostor."""


def separation(genuine, impostors):
    wins = [1.0 if g > i else 0.5 if g == i else 0.0 for g in genuine for i in impostors]
    return sum(wins) / len(wins)
