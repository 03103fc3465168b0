"""How the line runs under Prefect: tasks, artifacts, states, forms, deployments, and the server of this machine."""
