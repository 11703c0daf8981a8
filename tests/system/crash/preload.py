"""Imports what every child process needs, once, in the server that forks them. A fork then takes milliseconds."""

import adlfs
import airflow.sdk.execution_time.supervisor
import numpy.ma
import pyarrow.compute
import pytest
import s3fs

from airflow_zendesk.destination import open_destination
from tests.system.crash import jobs

__all__ = ["adlfs", "airflow", "jobs", "numpy", "pyarrow", "pytest", "s3fs"]

# Airflow looks for all its file systems when it opens the first one.
open_destination("file:///")
