"""A job's place on a machine: prepared, briefed, collected."""
