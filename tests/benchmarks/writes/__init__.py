"""One turn's rows written twice: as the product does, and with plain ORM saves; what both cost the database."""

READS = (
    "the conversation, its customer, messages, actions, earlier tool results and memory, the turn before; switches, "
    "modes, limits, prompts and the company's settings; each running total"
)
"""What the plain way reads before its first call: tests/benchmarks/writes/plain_reads.py."""
