"""Airflow operators that export, verify and load."""
