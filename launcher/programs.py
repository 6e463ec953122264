"""The site's own programs: the worker with its timetable, and the web processes."""

from __future__ import annotations

import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from launcher import processes
from launcher.messages import CannotGoOn, say
from launcher.postgres import WEB, WORKER
from launcher.stack import Stack
from launcher.state import ROOT
from launcher.supervisor import Program

HOST = "127.0.0.1"
FIRST_PORT = 8000
PORTS_TRIED = 50
COUNTS = "counts"


def worker(stack: Stack) -> Program:
    """One Celery worker with two processes; beat is embedded in it, so there is one timetable."""
    timetable = str(stack.state.path / "timetable")
    options = "--pool prefork --concurrency 2 --loglevel INFO --without-mingle --without-gossip"
    command = ["celery", "-A", "config", "worker", "-B", "--schedule", timetable, *options.split()]
    return _program(stack, "worker", WORKER, *command)


def web(stack: Stack, port: int) -> Program:
    """Gunicorn for this machine only; its processes, threads, limits and patience stand in config/serving.py."""
    serving = ("--config", "python:config.serving", "--bind", f"{HOST}:{port}")
    return _program(stack, "web", WEB, "gunicorn", *serving, "config.wsgi:application")


def forget_counts(state: Path) -> None:
    """Where the programs count for /metrics. A count that survived its processes would never end."""
    shutil.rmtree(state / COUNTS, ignore_errors=True)
    (state / COUNTS).mkdir(mode=0o700)


def _program(stack: Stack, name: str, role: str, *arguments: str) -> Program:
    command = [sys.executable, "-m", *arguments]
    environment = stack.environment_as(role) | {"PROMETHEUS_MULTIPROC_DIR": str(stack.state.path / COUNTS)}
    return Program(name, command, environment=environment, cwd=ROOT, log=stack.state.log(name))


def first_port(wanted: str | None) -> int:
    """The first port nobody listens on, from the wanted one upwards; says so when that is another one."""
    if wanted and not wanted.isdecimal():
        raise CannotGoOn(f"PORT is a number, and was given as: {wanted}")
    return free_port(int(wanted or FIRST_PORT))


def free_port(first: int) -> int:
    for port in range(first, first + PORTS_TRIED):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                say(f"  port {port} is taken; trying {port + 1}")
                continue
        return port
    raise CannotGoOn(f"No port from {first} to {first + PORTS_TRIED - 1} is free. Set PORT to another one.")


def answers(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the shell names
    try:
        with direct.open(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def leftovers(state: Path) -> Iterator[int]:
    """Workers and web processes started for this state directory, by a launcher that is gone."""
    for pid in processes.started_for(state):
        arguments = processes.arguments_of(pid) or []
        if "celery" in arguments or "gunicorn" in arguments:
            yield pid
