"""A TCP proxy on a free port of this machine, whose connections a test cuts, or keeps the answers of."""
import socket
import threading

from support.ports import connections_to


class CutProxy:
    def __init__(self, target):
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0  # that have ever been made
        self._sockets = set()
        self._lock = threading.Lock()
        self._answering = threading.Event()
        self._answering.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def mute(self):
        """Keeps back what the server answers, until `cut`."""
        self._answering.clear()

    def cut(self):
        """Ends all connections, with whatever is under way. New ones are answered."""
        with self._lock:
            gone, self._sockets = self._sockets, set()
        for one in gone:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has ended by itself
                pass
        self._answering.set()

    def close(self):
        self._listener.close()
        self.cut()

    def _accept(self):
        for client in connections_to(self._listener):
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._sockets |= {client, server}
                self.connections += 1
            threading.Thread(target=self._pass_on, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, client, True), daemon=True).start()

    def _pass_on(self, source, to, answers):
        try:
            while chunk := source.recv(65536):
                if answers:
                    self._answering.wait()
                with self._lock:
                    if source not in self._sockets:
                        break
                to.sendall(chunk)
        except OSError:  # cut
            pass
        for one in (source, to):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        with self._lock:
            self._sockets.discard(source)
        source.close()
