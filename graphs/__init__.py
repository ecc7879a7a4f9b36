"""Pipelines as async functions over the engines' protocols; app.py binds them to the cluster."""
