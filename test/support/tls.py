"""TLS as a client of this daemon speaks it, and certificates made for one test."""
import errno
import socket
import ssl
import subprocess
import unittest


def certificate(directory, name="server"):
    """Makes a certificate for localhost that is its own authority. Returns the paths of it and of its key."""
    paths = directory / f"{name}.pem", directory / f"{name}.key"
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "3650", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", paths[0],
             "-keyout", paths[1]], check=True, capture_output=True)
    except FileNotFoundError:
        raise unittest.SkipTest("there is no program openssl") from None
    return paths


def client(trusted, **attributes):
    """A context that trusts this certificate alone. None where there is none."""
    if not trusted:
        return None
    context = ssl.create_default_context(cafile=str(trusted))
    for name, value in attributes.items():
        setattr(context, name, value)
    return context


def wrap(context, plain, session=None):
    """Shakes hands on a connected socket. An end without a close_notify is an error later, and no end."""
    return context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False, session=session)


def half_close(connection):
    """Shuts the sending side down below TLS, of which Python would forget all at its own shutdown(). A connection that
    the peer has reset meanwhile has no sides left."""
    with socket.socket(fileno=socket.dup(connection.fileno())) as below:
        try:
            below.shutdown(socket.SHUT_WR)
        except OSError as gone:
            if gone.errno != errno.ENOTCONN:
                raise
