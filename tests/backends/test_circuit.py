"""The breaker of one process, under many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tickets.backends.circuit import FAILURES, Circuit


def test_a_success_starts_the_count_anew() -> None:
    circuit = Circuit()
    for _ in range(3):
        for _ in range(FAILURES - 1):
            circuit.note(failed=True)
        assert circuit.may_call()
        circuit.note(failed=False)
    assert circuit.may_call()


def test_after_the_pause_one_of_many_goes() -> None:
    circuit = Circuit(pause_s=0.0)
    for _ in range(FAILURES):
        circuit.note(failed=True)
    circuit._pause_s = 60.0  # whoever probes makes the others wait
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: circuit.may_call(), range(32))) == 1
