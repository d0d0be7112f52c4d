"""The only door to the database."""

from __future__ import annotations

from bot.store.acceptance import Accepted
from bot.store.configurations import RightConfigurations
from bot.store.database import Database, only_process
from bot.store.deliveries import Deliveries, Delivery, Handled
from bot.store.documents import Documents
from bot.store.jobs import Job, Jobs
from bot.store.leases import Lease, Leases

__all__ = [
    "Accepted",
    "Database",
    "Deliveries",
    "Delivery",
    "Documents",
    "Handled",
    "Job",
    "Jobs",
    "Lease",
    "Leases",
    "RightConfigurations",
    "only_process",
]
