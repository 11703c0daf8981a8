"""Exporting: Zendesk into a dataset."""
