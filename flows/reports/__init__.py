"""Everything that people read about commands and runs: on a terminal, in files and in Prefect."""
