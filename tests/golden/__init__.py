"""Golden records of whole behavior: everything that the commands do with each sample."""
