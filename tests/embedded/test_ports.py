"""Ports are held until their owner starts."""

import socket

import pytest

from objproc_embedded.errors import PortInUseError
from objproc_embedded.ports import PORT_FIRST, PORT_LAST, hold, hold_free


def test_a_held_port_cannot_be_held_again_until_released():
    held = hold_free()
    with pytest.raises(PortInUseError, match=str(held.number)):
        hold(held.number)
    held.release()
    again = hold(held.number)
    again.release()


def test_a_port_on_which_another_program_listens_is_refused_by_number():
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"port {number} on 127.0.0.1 is in use"):
            hold(number)


def test_the_remembered_port_is_taken_again_when_free_and_another_when_not():
    first = hold_free()
    other = hold_free(remembered=first.number)
    assert other.number != first.number
    other.release()
    again = hold_free(remembered=other.number)
    assert again.number == other.number
    first.release()
    again.release()


def test_ports_at_a_distance_are_held_too():
    held = hold_free(also=[10_000])
    assert PORT_FIRST <= held.number <= PORT_LAST - 10_000
    with pytest.raises(PortInUseError):
        hold(held.number + 10_000)
    held.release()
    held.release()


def test_an_address_this_machine_does_not_have_is_refused():
    with pytest.raises(PortInUseError, match="cannot be used"):
        hold(0, "192.0.2.1")
