"""The Airflow hook for Zendesk, and what it needs."""
