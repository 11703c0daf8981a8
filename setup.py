"""Package metadata; tool settings live in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
version = re.search(r'^__version__ = "(.+)"$', (here / "airflow_zendesk/__init__.py").read_text(), re.MULTILINE)
assert version, "airflow_zendesk/__init__.py must state __version__"

# Each lower bound is installed by `make test-lowest`, which runs the tests with the lowest versions of all of them.
install_requires = [
    "apache-airflow>=3.1.8,<4",  # the platform; 3.1.0 does not start with the newest structlog and universal-pathlib
    "apache-airflow-providers-http>=6",  # ZendeskHook is an HttpHook
    "msgspec>=0.21",  # decodes a page in slices without re-encoding them; before 0.21 its errors are no ValueErrors
    "numpy>=1.26",  # remembers exported ids at eight bytes each; pandas depends on it
    "pandas>=2.2",  # get_df
    "pyarrow>=20",  # Parquet; 19 cannot iterate over a file without rows
    "requests>=2.32.4",  # the session that HttpHook hands out; without CVE-2024-47081, a leak of .netrc
    "tenacity>=8.3",  # the retry loop; HttpHook depends on it, and 8.3 is the first that lets a stop see the wait
    "rich>=13.6",  # the progress bar and tables of the command; Airflow depends on it
]
extras_require = {
    "s3": ["apache-airflow-providers-amazon[s3fs]>=9.14"],  # s3:// destinations
    "gcs": ["apache-airflow-providers-google>=20"],  # gs:// destinations; before 20, a token that is not renewed
    "azure": ["apache-airflow-providers-microsoft-azure>=12.7"],  # abfs:// destinations
    "duckdb": [
        "duckdb>=1.4.5"
    ],  # the warehouse that needs no server; 1.4.0 cannot read the views of an attached file named like its schema
    "postgres": ["apache-airflow-providers-postgres>=7", "psycopg>=3.2"],  # loads through Airflow's hook, with COPY
    "dev": [
        "apache-airflow-providers-celery",  # the executor of the distributed test
        "celery<5.7",  # that provider still imports what 5.7 has moved
        "build",  # builds the wheel that the packaging test looks into
        "gcp-storage-emulator",  # a GCS that ignores conditions: the lying store of the tests
        "hypothesis",  # the laws
        "import-linter",  # the import rules of the house
        "jsonschema",  # provider info against Airflow's schema files
        "moto[server]",  # the S3 of the tests: a real server, with conditional writes
        "mypy",
        "pandas-stubs",
        "psutil",  # sees where the servers of the tests listen; Airflow depends on it
        "apache-airflow-providers-openlineage",  # the lineage of a real run
        "playwright",  # drives Debian's Chromium in the browser tests
        "polars",  # a foreign reader in the tests
        "pytest",
        "pytest-randomly",  # random order, so no test leans on another
        "pytest-xdist",  # two cores
        "ruff",
        "sqlglot",  # parses the SQL of warehouses that no test can run
        "statsd",  # with it, Airflow sends the metrics that a test receives
        "types-requests",
        "uv",  # installs the lock and makes it anew
    ],
    "docs": [  # builds the site
        "mkdocs-material",  # the theme, with a search that needs no server
        "mkdocstrings[python]",  # the reference from docstrings, without importing the package
    ],
    "readers": [  # foreign readers of the files, too large for every test run
        "chdb",  # ClickHouse without a server
        "pyspark>=4",  # Spark; 4 is the first that gives Arrow tables
    ],
}

# The tests run against every store and warehouse, and build the site.
for extra in ("s3", "gcs", "azure", "duckdb", "postgres", "docs"):
    extras_require["dev"] += extras_require[extra]

setup(
    name="airflow-zendesk",
    version=version[1],
    description="Zendesk incremental exports as partitioned Parquet, complete and exactly once, with Apache Airflow",
    long_description=(here / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=[*find_packages(include=["airflow_zendesk", "airflow_zendesk.*"]), "airflow_zendesk.example_dags"],
    package_dir={
        "airflow_zendesk.example_dags": "dags"
    },  # one source: the folder that Airflow reads in this repository
    package_data={
        "airflow_zendesk": ["py.typed", "warehouse/sql/*.sql", "warehouse/sql/*/*.sql"],
        "airflow_zendesk.plugins": ["templates/*.html", "static/*"],
    },
    install_requires=install_requires,
    extras_require=extras_require,
    entry_points={
        "apache_airflow_provider": ["provider_info=airflow_zendesk.provider_info:get_provider_info"],
        "console_scripts": ["airflow-zendesk=airflow_zendesk.cli:main"],
        "airflow.plugins": ["zendesk_coverage=airflow_zendesk.plugins.coverage_plugin:ZendeskCoveragePlugin"],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Plugins",
        "Framework :: Apache Airflow",
        "Framework :: Apache Airflow :: Provider",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Typing :: Typed",
    ],
)
