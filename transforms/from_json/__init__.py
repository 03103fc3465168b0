"""Convert JSON records of the REST bindings to a drop in the CSV binding.

The inverse of `transforms/payload.py`.
"""
