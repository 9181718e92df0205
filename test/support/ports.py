"""Ports of loopback that are free at this moment, and the connections to one."""
import socket


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def free_port():
    return free_ports(1)[0]


def connections_to(listener):
    """Each client's socket, until the listener is closed."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:  # closed
            return
        yield client
