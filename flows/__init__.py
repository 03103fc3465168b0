"""The commands, the pipeline, the reports and the Prefect flows: what runs when, and in what order."""
