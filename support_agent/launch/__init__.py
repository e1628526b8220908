"""`make run`: from a bare checkout to a running product, and its end."""
