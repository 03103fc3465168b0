"""`roster why`: one record's story."""
