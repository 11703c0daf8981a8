"""The coverage pages in Airflow's UI: which slices of each dataset are stored, and which are missing."""
