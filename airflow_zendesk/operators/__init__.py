"""Airflow operators: what to do once."""
