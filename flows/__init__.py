"""When, and in what order: the command line, the straight line, the report and the Prefect flows."""
