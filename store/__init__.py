"""What is kept: tables, artifacts, labels, accounts."""
