"""Verification: a dataset into findings, and the commands that repair them."""
