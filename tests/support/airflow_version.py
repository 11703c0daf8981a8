"""What tests expect of the Airflow that is installed. What the package needs to know is in its ``compat.py``."""

from airflow import __version__

_VERSION = tuple(int(part) for part in __version__.split(".")[:2])

#: The form of a connection has our fields, and a notifier gets the exception of the task.
HAS_EXTRA_FIELDS = HAS_EXCEPTION_IN_NOTIFIER = _VERSION >= (3, 2)
#: An asset event can have a partition key.
HAS_PARTITIONS = _VERSION >= (3, 3)
#: A view of a plugin can belong to some assets and DAGs.
HAS_SCOPED_VIEWS = _VERSION >= (3, 4)
#: The scheduler survives a task without heartbeats. That of 3.4.0b2 ends with `UniqueViolation`, for all DAGs:
#: sending the callback closes the session in which the failed try was going to be stored.
SURVIVES_MISSING_HEARTBEATS = not __version__.startswith("3.4.0b")
#: The results of tasks in Airflow's database, with the columns dag_id, task_id, key and value.
XCOM_ROWS = (
    "(select dag_id, task_id, key, value from xcom_v2 join task_instance on task_instance.id = task_instance_id) xcom"
    if _VERSION >= (3, 4)
    else "xcom"
)
