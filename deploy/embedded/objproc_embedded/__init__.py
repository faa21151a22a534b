"""The whole system on one machine: real servers from wheels and the services, as supervised child processes."""

from objproc_embedded.errors import StackError
from objproc_embedded.servers import Servers
from objproc_embedded.stack import Stack

__all__ = ["Servers", "Stack", "StackError"]
