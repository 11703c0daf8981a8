"""Export of a window from Zendesk into a dataset."""
