"""What Airflow is told of this package; it reads this at every start, so nothing else is imported here."""

from typing import Any

_CONNECTION_TYPE = {
    "connection-type": "zendesk_export",
    "hook-class-name": "airflow_zendesk.hooks.zendesk.ZendeskHook",
    "hook-name": "Zendesk incremental export",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port"],
        "relabeling": {"host": "Subdomain", "login": "Client identifier or e-mail", "password": "Secret"},
        "placeholders": {
            "host": "acme, of acme.zendesk.com",
            "login": "identifier of an OAuth client, or someone@example.com/token",
            "password": "client secret, access token or API token",
        },
    },
    "conn-fields": {
        "auth": {
            "label": "Authentication",
            "description": "Empty: client_credentials with an identifier, basic with an e-mail, bearer without login.",
            "schema": {
                "type": ["string", "null"],
                "enum": [None, "client_credentials", "bearer", "basic"],
            },
        },
        "requests_per_minute": {
            "label": "Requests per minute",
            "description": "At most so many exports a minute, to leave others their part of the account's limit.",
            "schema": {"type": ["integer", "null"], "minimum": 1},
        },
        "timeout": {
            "label": "Timeout",
            "description": "Seconds that one request may take in all.",
            "schema": {"type": ["number", "null"], "minimum": 1},
        },
        "max_page_mebibytes": {
            "label": "Largest page",
            "description": "How many MiB one answer may have.",
            "schema": {"type": ["number", "null"], "minimum": 1},
        },
        "hash_key": {
            "label": "Hash key",
            "description": "The key of hashed fields, 32 characters or more; it cannot be changed later.",
            "schema": {"type": ["string", "null"], "format": "password"},
        },
        "verify": {
            "label": "CA bundle",
            "description": "Path of a CA bundle on the workers, if the system's is not right.",
            "schema": {"type": ["string", "null"]},
        },
    },
}

_CONFIG = {
    "zendesk_export": {
        "description": "Settings of the DAGs that come with airflow-zendesk.",
        "options": {
            "pool": {
                "description": "The Airflow pool of the export tasks: one slot is one request stream to the account. "
                "Make it before naming it here, for tasks of a pool that does not exist wait for ever.",
                "version_added": None,
                "type": "string",
                "example": "zendesk",
                "default": "default_pool",
            },
        },
    },
}


def get_provider_info() -> dict[str, Any]:
    """The provider's entry, in the form of Airflow's ``provider_info.schema.json``."""
    integration = "Zendesk incremental exports"
    return {
        "package-name": "airflow-zendesk",
        "name": "Zendesk incremental exports",
        "description": "Zendesk's incremental exports as partitioned Parquet, complete and exactly once.",
        "integrations": [
            {
                "integration-name": integration,
                "external-doc-url": "https://developer.zendesk.com/api-reference/ticketing/"
                "ticket-management/incremental_exports/",
                "tags": ["service"],
            }
        ],
        "hooks": [{"integration-name": integration, "python-modules": ["airflow_zendesk.hooks.zendesk"]}],
        "operators": [
            {
                "integration-name": integration,
                "python-modules": [
                    "airflow_zendesk.operators.incremental_export",
                    "airflow_zendesk.operators.verify_dataset",
                    "airflow_zendesk.operators.load_warehouse",
                ],
            }
        ],
        "connection-types": [_CONNECTION_TYPE],
        "config": _CONFIG,
    }
