"""The Airflow hook for Zendesk: connection, requests and retries."""
