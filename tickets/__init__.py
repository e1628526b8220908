"""The support desk."""

import os

# Before numpy is first imported: threads of its own would take the processors from other conversations.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
