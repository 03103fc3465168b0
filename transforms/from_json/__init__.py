"""JSON records of the REST bindings -> rows in the columns of the CSV binding: the inverse of `transforms/payload.py`."""
