"""The commands, the pipeline, the reports and the Prefect flows: what runs, and in what order."""
