"""What crosses a boundary: requests, results, errors, settings. Imports nothing of ours."""
