"""A simulated year of a district, night by night, with and without faults of its exports."""
