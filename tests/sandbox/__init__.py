"""The sandbox behaves as the API reference says that the target does."""
