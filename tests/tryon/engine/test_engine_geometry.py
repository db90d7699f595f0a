"""Warps: they hit their points, keep straight things straight, and do not fold."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from selify.tryon.engine.geometry import (
    Ruled,
    ThinPlate,
    at_length,
    resample,
    smooth,
    strip_field,
    thin_plate_field,
)

points = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=4, max_size=12, unique=True
)


@given(points, st.floats(-0.5, 0.5), st.floats(0.5, 2))
@settings(max_examples=50, deadline=None)
def test_a_thin_plate_reproduces_an_affine_map(knots, shear, scale):
    source = np.array(knots, float) * 10
    if np.linalg.matrix_rank(source - source.mean(0)) < 2:
        return
    matrix = np.array([[scale, shear], [0, 1 / scale]])
    spline = ThinPlate(source, source @ matrix + (3, -2), stiffness=0)
    probe = np.array([[15.0, 17.0], [200.0, 90.0]])
    assert np.allclose(spline(probe), probe @ matrix + (3, -2), atol=1e-3)


def test_a_thin_plate_takes_every_point_to_its_target():
    random = np.random.default_rng(2)
    source = random.uniform(0, 300, (20, 2))
    target = source + random.uniform(-8, 8, (20, 2))
    assert np.allclose(ThinPlate(source, target, stiffness=1e-6)(source), target, atol=0.5)


def test_a_field_that_moves_nothing_copies_the_picture():
    corners = np.array([[10, 10], [110, 10], [110, 90], [10, 90], [60, 50]], float)
    y, x = np.mgrid[:100, :120]
    picture = np.dstack([x, y, x + y]).astype(np.uint8)
    field = thin_plate_field(corners, corners, picture.shape, margin=0)
    copied = field.pull(picture, picture.shape)
    assert np.abs(copied[12:88, 12:108].astype(int) - picture[12:88, 12:108]).max() <= 2


def test_a_field_outside_the_picture_is_none():
    far = np.array([[-500, -500], [-400, -500], [-450, -400]], float)
    assert thin_plate_field(far, far, (100, 100)) is None


def test_a_strip_covers_its_target_and_nothing_else():
    source = Ruled(np.array([[0, 0], [100, 0]], float), np.array([[0, 20], [100, 20]], float))
    target = Ruled(np.array([[20, 20], [20, 120]], float), np.array([[60, 20], [60, 120]], float))
    known = strip_field(source, target, (150, 100)).known((150, 100))
    assert known[25:115, 25:55].all()
    assert not known[:15].any()
    assert not known[:, 70:].any()


def test_a_strip_maps_its_ends_to_its_ends():
    source = Ruled(np.array([[0, 0], [100, 0]], float), np.array([[0, 20], [100, 20]], float))
    target = Ruled(np.array([[20, 20], [20, 120]], float), np.array([[60, 20], [60, 120]], float))
    field = strip_field(source, target, (150, 100))
    assert abs(field.columns[22, 40] - 2) < 1.5
    assert abs(field.columns[118, 40] - 98) < 1.5
    assert abs(field.rows[70, 40] - 10) < 1


@given(points, st.integers(2, 30))
@settings(max_examples=50, deadline=None)
def test_resampling_keeps_the_ends(knots, count):
    path = np.array(knots, float)
    even = resample(path, count)
    assert len(even) == count
    assert np.allclose(even[0], path[0])
    assert np.allclose(even[-1], path[-1])


def test_at_length_does_not_overrun():
    path = np.array([[0, 0], [10, 0]], float)
    assert np.allclose(at_length(path, 99.0), (10, 0))
    assert np.allclose(at_length(path, -1.0), (0, 0))


def test_smoothing_keeps_a_straight_line_straight():
    line = np.stack([np.arange(20.0), np.arange(20.0) * 2], 1)
    assert np.allclose(smooth(line, 3)[5:-5], line[5:-5])
