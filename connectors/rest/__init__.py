"""OneRoster REST as a source: reads the collections of a student information system's API, 1.1 and 1.2."""
