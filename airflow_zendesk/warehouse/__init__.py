"""Loads exported slices into the tables of a warehouse, each slice once, in one transaction.

`tables` defines the tables, `dialects` how each warehouse spells them, and `sql/` holds the statements. `stored_slices`
reads and verifies slices, `loading` loads them, and `duckdb` and `postgres` are the databases. For other warehouses,
`ddl` generates the tables and `load_statements` the SQL of a load.
"""
