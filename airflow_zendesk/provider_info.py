"""The provider's metadata for Airflow, which loads it at every start; so nothing else is imported here."""

from typing import Any

_CONNECTION_TYPE = {
    "connection-type": "zendesk_export",
    "hook-class-name": "airflow_zendesk.hooks.zendesk.ZendeskHook",
    "hook-name": "Zendesk incremental export",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port"],
        "relabeling": {"host": "Subdomain", "login": "Client identifier or e-mail", "password": "Secret"},
        "placeholders": {
            "host": "acme, for acme.zendesk.com",
            "login": "identifier of an OAuth client, or agent@example.com/token",
            "password": "client secret, access token or API token",
        },
    },
    "conn-fields": {
        "auth": {
            "label": "Authentication",
            "description": "If empty: client_credentials for an identifier, basic for an e-mail, bearer with no login.",
            "schema": {
                "type": ["string", "null"],
                "enum": [None, "client_credentials", "bearer", "basic"],
            },
        },
        "requests_per_minute": {
            "label": "Requests per minute",
            "description": "The most requests per minute of a run; the rest of the limit is left to other clients.",
            "schema": {"type": ["integer", "null"], "minimum": 1},
        },
        "timeout": {
            "label": "Timeout",
            "description": "Seconds for one request, from connecting to the last byte.",
            "schema": {"type": ["number", "null"], "minimum": 1},
        },
        "max_page_mebibytes": {
            "label": "Largest page (MiB)",
            "description": "The largest response that is accepted.",
            "schema": {"type": ["number", "null"], "minimum": 1},
        },
        "hash_key": {
            "label": "Hash key",
            "description": "The key for hashed fields, at least 32 characters. It cannot be changed later.",
            "schema": {"type": ["string", "null"], "format": "password"},
        },
        "verify": {
            "label": "CA bundle",
            "description": "Path of a CA bundle on the workers; if empty, the system's bundle is used.",
            "schema": {"type": ["string", "null"]},
        },
        "proxies": {
            "label": "Proxies",
            "description": 'Proxy URLs by scheme, like {"https": "http://proxy:3128"}.',
            "schema": {"type": ["object", "null"]},
        },
    },
}

_CONFIG = {
    "zendesk_export": {
        "description": "Settings of the DAGs of airflow-zendesk.",
        "options": {
            "pool": {
                "description": "The Airflow pool of the export tasks; one slot is one stream of requests. "
                "Create the pool first, because tasks of a pool that does not exist wait forever.",
                "version_added": None,
                "type": "string",
                "example": "zendesk",
                "default": "default_pool",
            },
        },
    },
}


def get_provider_info() -> dict[str, Any]:
    """Return the metadata, in the form of Airflow's ``provider_info.schema.json``."""
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
