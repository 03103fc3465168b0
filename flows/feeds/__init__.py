"""Feeds: what their files say, how they are found, and how they stand."""
