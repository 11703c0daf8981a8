"""Airflow hooks: how to talk to Zendesk."""
