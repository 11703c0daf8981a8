"""Zendesk incremental exports as partitioned Parquet, complete and exactly once, with Apache Airflow."""

__version__ = "0.9.0"
