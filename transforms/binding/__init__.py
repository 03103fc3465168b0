"""The CSV binding of OneRoster: manifest, headers, spelling of cells, upgrade from 1.1 to 1.2."""
