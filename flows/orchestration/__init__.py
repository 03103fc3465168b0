"""How the pipeline runs under Prefect: tasks, artifacts, states, forms, deployments and a server."""
