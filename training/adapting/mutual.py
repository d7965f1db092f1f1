"""The step of students: one alone, or two of which each learns from the other's teacher."""

from collections.abc import Sequence

from torch import Tensor

from passerby.arrays import Int64Array
from training.adapting.objectives import MutualObjective
from training.adapting.student import Student


def losses_of(
    students: Sequence[Student],
    features: Sequence[Tensor],
    views: Sequence[Tensor],
    *,
    cameras: Int64Array,
    rows: Int64Array,
) -> list[Tensor]:
    """The loss of each student, whose `views` (n, 3, height, width) of the crops `rows` gave its `features` (n, d).

    A teacher looks at the view of its own student.
    """
    if len(students) == 1:
        return [students[0].objective.loss(features[0], rows)]
    told = [student.told(view, cameras) for student, view in zip(students, views, strict=True)]
    first, second = (student.objective for student in students)
    assert isinstance(first, MutualObjective)  # noqa: S101 only a mutual loss has two students
    assert isinstance(second, MutualObjective)  # noqa: S101
    return [
        first.loss_between(features[0], rows, told=told[1], by=second),
        second.loss_between(features[1], rows, told=told[0], by=first),
    ]
