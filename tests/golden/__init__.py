"""Golden records of whole behavior: what every command does with every sample, seen from outside."""
