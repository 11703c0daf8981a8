"""The subcommands of ``airflow-zendesk``, a module each.

A module adds its parser with ``add_to`` and does its work in a function that returns the exit code: 0 only if all that
was asked for is done. What takes long to import, Airflow above all, is imported there, so that ``--help`` is quick.
"""
