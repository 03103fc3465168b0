"""Inputs that nobody wants, and what becomes of them beyond bytes and single cells."""
