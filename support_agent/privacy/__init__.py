"""Customers' data: where it is, how it goes, how long it stays, and what they get when they ask for it."""
