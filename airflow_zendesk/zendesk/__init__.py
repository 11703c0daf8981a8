"""Zendesk's incremental exports: requests, responses, rows and waits, without any I/O."""
