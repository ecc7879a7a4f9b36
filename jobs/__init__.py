"""Durable workflows: submit, run, watch, cancel."""
