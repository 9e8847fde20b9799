"""Fetch: files that no department delivers, got by our own clients from hosts a steward has allowed.

What comes is kept in the delivery folder like any other file and read by the ordinary readers: a fetch is never read
from the wire. A file appears under its name only when it is whole.
"""

from etl.fetch.fetch import Fetcher, fetch_file
from layers.hosts import Host, read_hosts

__all__ = ["Fetcher", "Host", "fetch_file", "read_hosts"]
