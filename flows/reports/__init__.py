"""Everything that people read: what commands and runs came to, on a terminal, in files and in Prefect."""
