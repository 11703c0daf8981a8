"""What Zendesk's incremental exports are: requests, answers, rows and waits, without any I/O."""
