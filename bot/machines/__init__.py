"""Machines: who lends them, and the shell on one."""
