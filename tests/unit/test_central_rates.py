"""A node's share of the city's time: a burst, then a steady rate, never another's."""

from __future__ import annotations

from central.rates import FORGET_ABOVE, Buckets, Rate


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_burst_is_let_through_and_then_one_for_each_stretch_of_time() -> None:
    clock = Clock()
    buckets = Buckets(Rate(burst=3, per_s=2), clock)
    assert [buckets.take("COA001") for _ in range(5)] == [True, True, True, False, False]
    clock.now_s = 0.5
    assert [buckets.take("COA001") for _ in range(2)] == [True, False]
    clock.now_s = 60
    assert [buckets.take("COA001") for _ in range(4)] == [True, True, True, False]


def test_one_node_never_uses_up_anothers_share() -> None:
    buckets = Buckets(Rate(burst=1, per_s=0.1), Clock())
    assert buckets.take("COA001")
    assert not buckets.take("COA001")
    assert buckets.take("COA002")


def test_a_flood_of_names_does_not_fill_the_memory() -> None:
    clock = Clock()
    buckets = Buckets(Rate(burst=1, per_s=1), clock)
    for number in range(3 * FORGET_ABOVE):
        clock.now_s += 0.001
        assert buckets.take(number)
    assert len(buckets._levels) <= FORGET_ABOVE
