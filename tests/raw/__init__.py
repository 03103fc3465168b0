"""Small exports as real systems write them, loaded as they are."""
