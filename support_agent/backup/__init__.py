"""One archive of database and uploads, tried by restoring it, and the way back: docs/production.md."""
