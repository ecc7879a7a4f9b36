"""The HTTP surface: four documented families, and the cluster's own routes."""
