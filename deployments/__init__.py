"""Model engines, and the Ray Serve deployments around them."""
