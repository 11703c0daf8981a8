"""The provider's metadata for Airflow, which loads it at every start; so nothing else is imported here."""

from typing import Any

CONNECTION_TYPE: dict[str, Any] = {
    "connection-type": "zendesk_export",
    "hook-class-name": "airflow_zendesk.hooks.zendesk.ZendeskHook",
    "hook-name": "Zendesk incremental export",
    "ui-field-behaviour": {
        "hidden-fields": ["schema"],
        "relabeling": {"host": "Subdomain", "login": "Client identifier or e-mail", "password": "Secret"},
        "placeholders": {
            "host": "acme, for acme.zendesk.com",
            # Airflow 3.3.2 refuses to test a connection without a port: apache/airflow#73298.
            "port": "443",
            "login": "identifier of an OAuth client, or agent@example.com/token",
            "password": "client secret, access token or API token",
        },
    },
    "conn-fields": {
        "auth": {
            "label": "Authentication",
            "description": "What the other fields are; an OAuth client is recommended.",
            "schema": {
                "type": "string",
                "enum": ["auto", "client_credentials", "bearer", "basic"],
                "default": "auto",
                "values_display": {
                    "auto": "By the fields: client without @, e-mail with @, access token alone",
                    "client_credentials": "OAuth client: identifier and secret",
                    "bearer": "OAuth access token, without a login",
                    "basic": "E-mail followed by /token, and API token",
                },
            },
        },
        "requests_per_minute": {
            "label": "Requests per minute",
            "description": "The most requests per minute of a run. If empty, Zendesk's own limit.",
            "schema": {"type": ["integer", "null"], "minimum": 1},
        },
        "timeout": {
            "label": "Timeout",
            "description": "Seconds for one request, from connecting to the last byte.",
            "schema": {"type": ["number", "null"], "minimum": 1, "default": 120},
        },
        "max_page_mebibytes": {
            "label": "Largest page (MiB)",
            "description": "The largest response that is accepted.",
            "schema": {"type": ["number", "null"], "minimum": 1, "default": 256},
        },
        "hash_key": {
            "label": "Hash key",
            "description": "The key for hashed fields, at least 32 characters. It cannot be changed later.",
            "schema": {"type": ["string", "null"], "format": "password", "default": ""},
        },
        "verify": {
            "label": "CA bundle",
            "description": "Path of a CA bundle on the workers; if empty, the system's bundle is used.",
            "schema": {"type": ["string", "null"], "default": ""},
        },
        "proxies": {
            "label": "Proxies",
            "description": 'Proxy URLs by scheme, like {"https": "http://proxy:3128"}.',
            # Without a default, because Airflow's form would show and send a mask instead of it.
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
    """Return the metadata, in the form of Airflow's ``provider_info.schema.json``.

    It has no ``triggers``, because a task that waits is rescheduled and not deferred. It has no ``plugins``, because
    the plugin has an entry point of its own: of the plugins that are listed here, Airflow registers the class and not
    an instance, so that every process would have to build the app of the coverage pages.
    """
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
        # Airflow 3.4 knows this key, and versions without retry policies ignore it.
        "retry-policies": [{"integration-name": integration, "python-modules": ["airflow_zendesk.retry_policy"]}],
        "connection-types": [CONNECTION_TYPE],
        "extra-links": [f"airflow_zendesk.operators.links.{name}" for name in ("CoverageLink", "ObjectsLink")],
        "config": _CONFIG,
    }
