"""Fjell Cycles, a small bicycle shop that brings its own system, tools and articles: see README.md."""
