"""The only door to the database."""

from __future__ import annotations

from bot.store.acceptance import Accepted
from bot.store.configurations import RightConfigurations
from bot.store.database import Database, only_process
from bot.store.deliveries import Deliveries, Delivery, Handled
from bot.store.documents import Documents
from bot.store.failed_deliveries import FailedDeliveries, FailedDelivery
from bot.store.jobs import Job, Jobs
from bot.store.leases import Lease, Leases
from bot.store.watermarks import Turns, Watermarks

__all__ = [
    "Accepted",
    "Database",
    "Deliveries",
    "Delivery",
    "Documents",
    "FailedDeliveries",
    "FailedDelivery",
    "Handled",
    "Job",
    "Jobs",
    "Lease",
    "Leases",
    "RightConfigurations",
    "Turns",
    "Watermarks",
    "only_process",
]
