"""What can be asked for about customers."""

from commands.customers.archive import ArchiveCustomer, ReopenCustomer
from commands.customers.contacts import AddContact, NewContact, RemoveContact, ReviseContact
from commands.customers.erasure import EraseContact, EraseCustomer
from commands.customers.follow_ups import LogFollowUp
from commands.customers.register import RegisterCustomer, ReviseProfile
from commands.customers.standing import AssignOwner, Categorise, MoveLifecycle, SetIntent, Tag, Untag

__all__ = [
    "AddContact",
    "ArchiveCustomer",
    "AssignOwner",
    "Categorise",
    "EraseContact",
    "EraseCustomer",
    "LogFollowUp",
    "MoveLifecycle",
    "NewContact",
    "RegisterCustomer",
    "RemoveContact",
    "ReopenCustomer",
    "ReviseContact",
    "ReviseProfile",
    "SetIntent",
    "Tag",
    "Untag",
]
