"""The videos that tests make show what their makers say: held against FFmpeg, which decodes them from end to end."""

from dataclasses import replace

import numbered
import numpy as np
import pytest


@pytest.mark.parametrize("name", numbered.CASES)
def test_a_case_shows_what_it_says(name, tmp_path):
    case = numbered.build(name, tmp_path)
    assert numbered.problems(case) == []
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("size", [(128, 96), (97, 131)])
def test_a_number_is_read_as_drawn(size):
    noise = np.random.default_rng(0).integers(-60, 60, (size[1], size[0]))
    for number in (0, 1, 5, 255, 256, 43690, 65535):
        image = numbered.frame_image(number, *size)
        assert numbered.number(image) == number
        assert numbered.number((image[..., 0] + noise).clip(0, 255)) == number


def test_what_a_case_says_falsely_is_found(tmp_path):
    case = numbered.build("plain.mp4", tmp_path)
    swapped = (1, 0, *case.numbers[2:])
    [found] = numbered.problems(replace(case, numbers=swapped))
    assert found.startswith("shows [0, 1, 2")
    assert numbered.problems(replace(case, numbers=swapped, also=(case.numbers,))) == []
    assert numbered.problems(replace(case, size=(96, 128))) == ["has sizes {(128, 96)}, not (96, 128)"]
    late = (*case.times[:-1], case.times[-1] + 0.1)
    assert numbered.problems(replace(case, times=late)) == ["has times that are 0.100 s off"]
    case.path.write_bytes(case.path.read_bytes()[:1000])
    assert "cannot be opened" in numbered.problems(case)[0]


def test_of_a_video_that_lost_bytes_a_run_of_the_numbers_is_right(tmp_path):
    case = numbered.build("late.ts.mpg", tmp_path)
    assert case.right(range(25, 150))
    assert case.right([25, 26, 29])  # the last picture lost the B-frames before it
    assert not case.right([25, 27, 28])
    assert not case.right([])
    assert not replace(case, parts=False).right(range(25, 150))
    assert case.right(case.numbers)


def test_times_go_on_where_recordings_are_joined():
    assert numbered.unbroken([5.0, 5.5, 6.0, 0.0, 0.5]) == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert numbered.unbroken([0.0, 0.5, 99.0, 99.5]) == [0.0, 0.5, 1.0, 1.5]
    assert numbered.unbroken([3.0, 3.5, 8.0]) == [0.0, 0.5, 5.0]
