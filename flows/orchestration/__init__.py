"""The pipeline under Prefect: tasks, artifacts, states, forms, deployments, the local server."""
