"""The subcommands of ``airflow-zendesk``, one module each.

A module adds its parser with ``add_to``; its ``run`` function does the work and returns the exit code, which is 0 only
if everything requested was done. Modules that take long to import, above all Airflow, are imported inside that
function, so that ``--help`` is fast.
"""
