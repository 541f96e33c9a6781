#!/usr/bin/env python3
"""One machine of the scale model over gRPC. ../README.md is the protocol, ../../lab/real/wire.proto
the wire; the rule, the dice and the loop are those of ../python/machine.py.

    apt-get install python3-grpcio python3-grpc-tools
    npx tsx launch.ts --wire grpc --replace 1='/usr/bin/python3 machines/python-grpc/machine.py'
"""
import os
import queue
import sys
import tempfile
import threading
from concurrent import futures

import grpc
from grpc_tools import protoc

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "python"))
import machine as plain  # noqa: E402

OPTIONS = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1),
           ("grpc.so_reuseport", 0)]


def load_proto():
    """The messages of wire.proto, made in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        room = os.path.join(HERE, "..", "..", "lab", "real")
        protoc.main(["", f"-I{room}", f"--python_out={folder}", "wire.proto"])
        sys.path.insert(0, folder)
        import wire_pb2
        return wire_pb2


wire = load_proto()


class Link:
    """A stream. What it hears, its thread puts into the machine's mail; None is its end."""

    def __init__(self, me, called, token):
        self.me, self.called, self.peer, self.token = me, called, None, token
        self.out, self.gone, self.hang_up = queue.SimpleQueue(), False, lambda: None

    def say(self, line):
        if "hello" in line:
            hello = wire.Hello(id=line["hello"], life=line.get("life", 0))
            self.out.put(wire.Line(hello=hello))
        else:
            self.out.put(wire.Line(**line))

    def lines(self):
        """What the stream sends, until it is told that there is no more."""
        while (line := self.out.get()) is not None:
            yield line

    def listen(self, stream):
        try:
            for message in stream:
                self.me.tell(self, message)
        except grpc.RpcError:
            pass
        self.me.tell(self, None)
        self.out.put(None)


class Machine(plain.Machine):
    """The plain machine with streams in the place of sockets."""

    def open_wire(self, host, port):
        self.mail = queue.SimpleQueue()
        self.bell, self.rope = os.pipe()  # Wakes the loop, which waits for files.
        os.set_blocking(self.bell, False)
        self.selector.register(self.bell, plain.selectors.EVENT_READ, self.open_mail)
        self.server = grpc.server(futures.ThreadPoolExecutor(64), options=OPTIONS)
        talk = grpc.stream_stream_rpc_method_handler(
            self.talk, wire.Line.FromString, wire.Line.SerializeToString)
        self.server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("lab.Machine", {"Talk": talk}),))
        bound = self.server.add_insecure_port(f"{host}:{port}")
        self.server.start()
        return bound

    def talk(self, stream, context):
        token = dict(context.invocation_metadata()).get("token", "")
        context.send_initial_metadata((("token", self.setup["token"]),))
        link = Link(self, None, lambda: token)
        link.hang_up = context.cancel
        threading.Thread(target=link.listen, args=(stream,), daemon=True).start()
        yield from link.lines()

    def call(self, peer):
        channel = grpc.insecure_channel(":".join(self.addresses[peer]), options=OPTIONS)
        method = channel.stream_stream("/lab.Machine/Talk", wire.Line.SerializeToString,
                                       wire.Line.FromString)
        link = Link(self, peer, None)
        link.say(self.hello())
        stream = method(link.lines(), metadata=(("token", self.setup["token"]),))
        link.token = lambda: dict(stream.initial_metadata()).get("token", "")
        link.hang_up = lambda: (stream.cancel(), channel.close())
        self.calling[peer] = link
        threading.Thread(target=link.listen, args=(stream,), daemon=True).start()

    def tell(self, link, message):
        self.mail.put((link, message))
        os.write(self.rope, b"!")

    def open_mail(self, _):
        try:
            os.read(self.bell, 4096)
        except BlockingIOError:
            return
        while not self.mail.empty():
            link, message = self.mail.get()
            if link.gone:
                continue
            if message is None:
                self.drop(link)
                continue
            which = message.WhichOneof("line")
            if which == "hello":
                self.hear(link, {"hello": message.hello.id, "life": message.hello.life,
                                 "token": link.token()})
            elif which is None:
                self.drop(link, "not a line of the protocol")
            else:
                self.hear(link, {which: getattr(message, which)})

    def drop(self, link, why=None):
        if link is None or link.gone:
            return
        link.gone = True
        if why:
            print(f"machine {self.id}: connection closed: {why}", file=sys.stderr, flush=True)
        link.out.put(None)
        link.hang_up()
        self.forget(link)

    def close(self):
        links = [*self.links.values()]
        for link in links:
            link.say({"stop": True})
            if link.called is not None:
                link.out.put(None)  # The caller hangs up first: a server's end would lose lines.
        limit_us = plain.now_us() + 2e6
        while self.links and plain.now_us() < limit_us:
            self.look(0.05)
        self.server.stop(0.2)


if __name__ == "__main__":
    machine = Machine()
    if machine.gather():
        machine.run()
        machine.close()
    sys.stdout.flush()
    os._exit(0)  # gRPC's threads wait for nothing.
