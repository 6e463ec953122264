import socket
from collections.abc import Callable

from launcher.state import State
from launcher.valkey import Valkey


def say_to(server: Valkey, line: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(server.socket))
        connection.sendall(f"{line}\r\n".encode())
        return connection.recv(256)


def test_a_killed_broker_starts_again_with_what_it_was_given(valkey: Valkey, kill: Callable[[Valkey], int]):
    say_to(valkey, "RPUSH queue match")
    assert say_to(valkey, "WAITAOF 1 0 5000").startswith(b"*2\r\n:1")
    kill(valkey)

    valkey.start()

    assert say_to(valkey, "LLEN queue") == b":1\r\n"


def test_a_second_launcher_uses_the_broker_that_runs(valkey: Valkey, state: State):
    second = Valkey(state)

    second.start()

    assert second.pid == valkey.pid


def test_the_socket_is_its_owners_alone(valkey: Valkey):
    assert valkey.socket.stat().st_mode & 0o077 == 0


def test_a_stopped_broker_is_gone(valkey: Valkey):
    valkey.stop()

    assert valkey.pid is None
    assert not valkey.answers()
