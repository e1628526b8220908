"""Percentiles read off buckets stay within their promised error of the true ones."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from django.db import connection

from support_agent.runtime.buckets import BOUNDS, MOST_OFF, TOP, bucket_of, middle_of, percentile


@pytest.mark.parametrize("seed", range(40))
def test_a_percentile_is_within_its_bound_of_the_nearest_rank(seed: int) -> None:
    draw = random.Random(seed)
    values = [round(math.exp(draw.uniform(0, draw.uniform(1, 14)))) for _ in range(draw.randint(1, 400))]
    counts = Counter(bucket_of(value) for value in values)
    for share in (0.01, 0.5, 0.95, 0.99, 1.0):
        true = sorted(values)[math.ceil(share * len(values)) - 1]
        read = percentile(counts, share)
        assert read is not None
        assert abs(read - true) <= MOST_OFF * true + 0.5  # it is told in whole milliseconds


def test_the_ends_and_nothing() -> None:
    assert percentile({}, 0.5) is None
    assert percentile({0: 3}, 0.99) == 0
    assert percentile({TOP + 1: 1}, 0.5) == round(BOUNDS[-1]) == 2_097_152  # 35 minutes
    assert MOST_OFF < 0.091


@pytest.mark.django_db
def test_postgresql_puts_every_value_into_the_same_bucket() -> None:
    values = [0.0, 0.4, 0.999, 1.0, 1.5, 2.0, 1024.0, *BOUNDS, 2_097_151.0, 9e9]
    with connection.cursor() as cursor:
        cursor.execute("SELECT width_bucket(v, %s) FROM unnest(%s::float8[]) WITH ORDINALITY u(v, n) ORDER BY n",
                       [BOUNDS, values])  # fmt: skip
        assert [bucket for (bucket,) in cursor.fetchall()] == [bucket_of(value) for value in values]
    for bucket in range(1, TOP + 1):
        assert BOUNDS[bucket - 1] < middle_of(bucket) < BOUNDS[bucket]
