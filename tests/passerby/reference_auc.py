"""Naive twins of passerby.features.benefit: every genuine pair against every impostor, each two pairs of people."""


def separation(genuine, impostors):
    wins = [1.0 if g > i else 0.5 if g == i else 0.0 for g in genuine for i in impostors]
    return sum(wins) / len(wins)


def variance_of_dyads(parts, members):
    total = 0.0
    for one, mine in zip(parts, members, strict=True):
        for other, theirs in zip(parts, members, strict=True):
            total += one * other if set(mine) & set(theirs) else 0.0
    people = len({person for pair in members for person in pair})
    return total * people / max(people - 1, 1)
