"""Recipes: what trains the models that the platform serves."""
