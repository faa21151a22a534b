"""What can go wrong when the embedded stack starts; the text is for the person at the terminal.

StackError
├── FolderInUseError      another stack runs on this data folder
├── PortInUseError        the port asked for is taken
├── DataLostError         the data folder lacks what belongs to it
└── StartFailedError      something did not answer in time, or kept ending
"""

from __future__ import annotations


class StackError(Exception):
    """Told to the person as it is, without a traceback."""


class FolderInUseError(StackError):
    """Another stack runs on this data folder."""


class PortInUseError(StackError):
    """The port asked for is taken."""


class DataLostError(StackError):
    """The data folder lacks something that belongs to it."""


class StartFailedError(StackError):
    """A server or service did not answer in time, or kept ending."""
