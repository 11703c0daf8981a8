"""Verification of a dataset: findings, and the commands that repair them."""
