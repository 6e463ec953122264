"""Goods named in free text, each with its figure and its requirements, and what is not wanted."""
