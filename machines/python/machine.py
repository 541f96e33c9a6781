#!/usr/bin/env python3
"""One machine of the scale model, in Python's standard library alone. ../README.md is the protocol.

    npx tsx launch.ts --replace 1='python3 machines/python/machine.py'
    python3 machines/python/machine.py --vectors machines/vectors.json
"""
import json
import math
import os
import selectors
import signal
import socket
import sys
import time

# ── The rule, and the seed's dice ────────────────────────────────────────────────────────────
WORD = 0xFFFFFFFF
ROLLS, TICKS = 0, 4  # What a stream of chance is for.


def mix(word):
    word = ((word ^ (word >> 16)) * 0x7FEB352D) & WORD
    word = ((word ^ (word >> 15)) * 0x846CA68B) & WORD
    return word ^ (word >> 16)


def stream(seed, machine, purpose):
    first, second = 0x243F6A88, 0x85A308D3
    for part in (seed & WORD, seed >> 32, machine, purpose):
        first = mix(((first ^ part) + 0x9E3779B9) & WORD)
        second = mix(((second ^ part) + 0x9E3779B9) & WORD)
    return first, second


def uniform(chance, n):
    """The n-th number of a stream, in [0, 1)."""
    return mix((mix((n & WORD) ^ chance[0]) + chance[1]) & WORD) / 2**32


def step(me, message, roll):
    """One tick: the event, the clock after it, and the ids to send to. message: None if none."""
    if message is not None:
        return "receive", max(me["clock"], message) + 1, []
    clock = me["clock"] + 1
    sends = 1 - me["internal"]
    if roll >= sends or me.get("sends") is False:
        return "internal", clock, []
    peers = [other for other in range(me["machines"]) if other != me["id"]]
    both = me.get("both", 1 / 3)
    if both == 1 / 3:
        share = 1.5 * roll / sends if 3 * roll < 2 * sends else None
    else:
        one = (1 - both) * sends
        share = roll / one if roll < one else None
    if share is None:
        return "send", clock, peers
    return "send", clock, [peers[min(math.floor(share * len(peers)), len(peers) - 1)]]


def logarithm(x):
    """ln x to the bit as the lab has it, so that irregular ticks are the same in all languages."""
    halvings = 0
    while x < 0.5:
        x, halvings = x * 2, halvings + 1
    z = (x - 1) / (x + 1)
    total = 0.0
    for odd in range(33, 0, -2):
        total = total * z * z + 1 / odd
    return 2 * z * total - halvings * 0.6931471805599453


def schedule(ticks, seed, machine, rate, phase):
    """When tick 0, 1, 2, … are due, model seconds."""
    chance, at, k = stream(seed, machine, TICKS), 0.0, 0
    while True:
        if ticks == "poisson":
            at -= logarithm(1 - uniform(chance, k)) / rate
            yield at
        elif ticks == "regular":
            yield (k + phase) / rate
        else:
            jitter = float(ticks.split(":")[1])
            yield max(0, k + phase + jitter * (2 * uniform(chance, k) - 1)) / rate
        k += 1


def arrive(inbox, message, clock, knobs):
    """A message (sender, clock) comes and waits, unless a knob discards it."""
    if knobs["news"] and message[1] <= clock:
        return
    if knobs["queue_max"] is not None and len(inbox) >= knobs["queue_max"]:
        if knobs["drop"] == "newest":
            return
        inbox.pop(0)
    inbox.append(message)


def take(inbox, knobs):
    """The messages that one tick takes out of the inbox."""
    if not inbox or knobs["take"] == "all":
        taken, inbox[:] = inbox[:], []
        return taken
    return [inbox.pop(0 if knobs["take"] == "oldest" else -1)]


def parse(text):
    """A line of the wire; None if it is none."""
    try:
        line = json.loads(text) if len(text) <= 1024 else None
    except ValueError:
        return None
    is_count = lambda x: type(x) is int and 0 <= x < 2**53
    if not isinstance(line, dict):
        return None
    if is_count(line.get("clock")) and line["clock"] <= 2**52:
        return {"clock": line["clock"]}
    if is_count(line.get("hello")) and isinstance(line.get("token"), str):
        return line if is_count(line.get("life", 0)) else None
    if is_count(line.get("start_us")):
        return {"start_us": line["start_us"]}
    return next(({word: True} for word in ("ready", "stop") if line.get(word) is True), None)


# ── Time ─────────────────────────────────────────────────────────────────────────────────────
# The wall clock once, then the steady one: a clock that is set must not turn rows around.
def origin_us():
    """The wall clock at the zero of the steady one: of some tries the one least interrupted."""
    tries = []
    for _ in range(20):
        before_ns, wall_ns, after_ns = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        tries.append((after_ns - before_ns, wall_ns - (before_ns + after_ns) // 2))
    return min(tries)[1] // 1000


ORIGIN_US = origin_us()


def now_us():
    return ORIGIN_US + time.monotonic_ns() // 1000


# ── The machine ──────────────────────────────────────────────────────────────────────────────
class Link:
    """A connection; `peer` is None until its other end has said hello."""

    def __init__(self, sock, called=None):
        self.sock, self.called, self.peer, self.bytes = sock, called, None, b""

    def say(self, line):
        try:
            self.sock.sendall(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        except OSError:
            pass  # It is gone; what is sent to it is lost.


class Machine:
    def __init__(self):
        self.input, self.stopping = b"", False
        self.selector = selectors.DefaultSelector()
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        self.setup = setup = json.loads(self.read_line())
        self.id, self.knobs, self.life = setup["id"], setup["knobs"], setup["life"]
        self.others = [other for other in range(setup["machines"]) if other != self.id]
        senders = self.knobs["senders"]
        self.me = {"id": self.id, "machines": setup["machines"], "internal": setup["internal"],
                   "clock": setup.get("clock", 0), "both": self.knobs["both"],
                   "sends": senders is None or self.id in senders}
        self.inbox, self.links, self.lives = [], {}, {}
        self.ready, self.cut, self.healing, self.calling = set(), set(), set(), {}
        self.start_us = setup.get("start_us")
        host, port = setup["listen"].rsplit(":", 1)
        bound = self.open_wire(host, int(port))
        print("# dice seed")
        print(f"# machine {self.id} listens on port {bound}", flush=True)
        peers = json.loads(self.read_line())["peers"]
        self.addresses = dict(zip(self.others, (peer.rsplit(":", 1) for peer in peers)))
        self.selector.register(0, selectors.EVENT_READ, self.hear_launcher)

    def open_wire(self, host, port):
        self.server = socket.create_server((host, port), backlog=128)
        self.selector.register(self.server, selectors.EVENT_READ, self.accept)
        return self.server.getsockname()[1]

    def stop(self, *_):
        if 0 not in self.selector.get_map():
            sys.exit(0)  # It has not begun, or has ended.
        self.stopping = True

    def read_line(self):
        while b"\n" not in self.input:
            data = os.read(0, 65536)
            if not data:
                sys.exit(0)
            self.input += data
        line, self.input = self.input.split(b"\n", 1)
        return line

    def hear_launcher(self, _=None):
        data = os.read(0, 65536)
        if not data:
            self.selector.unregister(0)
            self.stopping = True
        self.input += data
        while b"\n" in self.input:
            command = json.loads(self.read_line())
            if "cut" in command:
                peer = command["cut"]
                self.cut.add(peer)
                for link in (self.links.get(peer), self.calling.get(peer)):
                    self.drop(link)
                print(f"# machine {self.id} cut {peer}", flush=True)
            elif "heal" in command:
                peer = command["heal"]
                self.cut.discard(peer)
                self.healing.add(peer)
                if self.id > peer:
                    self.call(peer)

    # ── The mesh ──
    def call(self, peer):
        host, port = self.addresses[peer]
        try:
            sock = socket.create_connection((host, int(port)), timeout=2)
        except OSError:
            return
        link = self.watch(sock, peer)
        self.calling[peer] = link
        link.say(self.hello())

    def hello(self):
        more = {"life": self.life} if self.life else {}
        return {"hello": self.id, "token": self.setup["token"], **more}

    def accept(self, _):
        self.watch(self.server.accept()[0])

    def watch(self, sock, called=None):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(5)
        link = Link(sock, called)
        self.selector.register(sock, selectors.EVENT_READ, lambda _: self.read(link))
        return link

    def drop(self, link, why=None):
        if link is None or link.sock.fileno() == -1:
            return
        if why:
            print(f"machine {self.id}: connection closed: {why}", file=sys.stderr, flush=True)
        self.selector.unregister(link.sock)
        link.sock.close()
        self.forget(link)

    def forget(self, link):
        if self.calling.get(link.called) is link:
            del self.calling[link.called]
        if self.links.get(link.peer) is link:
            del self.links[link.peer]

    def read(self, link):
        try:
            data = link.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            return self.drop(link)
        *lines, link.bytes = (link.bytes + data).split(b"\n")
        for text in lines:
            if link.sock.fileno() == -1:
                return
            line = parse(text)
            if line is None:
                return self.drop(link, "not a line of the protocol")
            self.hear(link, line)
        if len(link.bytes) > 1024:
            self.drop(link, "a line of more than 1024 bytes")

    def hear(self, link, line):
        if link.peer is None:
            return self.greet(link, line)
        if "clock" in line:
            if line["clock"] > self.clock_max():
                return self.drop(link, "a clock that no machine can have")
            arrive(self.inbox, (link.peer, line["clock"]), self.me["clock"], self.knobs)
        elif "ready" in line and self.id == 0:
            self.ready.add(link.peer)
        elif "start_us" in line and link.peer == 0 and self.start_us is None:
            self.start_us = line["start_us"]
        elif "stop" not in line:
            self.drop(link, "out of turn")

    def clock_max(self):
        """All ticks of all machines so far, with room."""
        since_us = max(0, now_us() - (self.start_us or now_us())) + 5e6
        return 1000 + 1.2 * sum(self.setup["rates"]) * self.setup["speed"] * since_us / 1e6

    def greet(self, link, line):
        peer, life = line.get("hello"), line.get("life", 0)
        if peer not in self.addresses or line["token"] != self.setup["token"]:
            return self.drop(link, "wrong token or unknown id")
        if link.called is not None and link.called != peer:
            return self.drop(link, "another id than was called")
        returns = life > self.lives.get(peer, 0)
        if link.called is None and peer < self.id and not life:
            return self.drop(link, "a lower id does not call")
        if peer in self.cut or (link.called is None and peer in self.calling and self.id > peer):
            return self.drop(link)
        if peer in self.links and not returns:
            return self.drop(link, f"a second connection from id {peer}")
        self.drop(self.links.get(peer))
        self.lives[peer] = life
        link.peer = peer
        self.links[peer] = link
        self.calling.pop(peer, None)
        if link.called is None:
            link.say(self.hello())
        if peer in self.healing:
            self.healing.discard(peer)
            print(f"# machine {self.id} healed {peer}", flush=True)

    def gather(self):
        """Connects with all and agrees on the start; False if it is to stop before."""
        for peer in self.others:
            if self.life or peer < self.id:
                self.call(peer)
        limit_us = now_us() + (2e6 if self.life else 60e6)
        said = False
        while not self.stopping:
            self.look(0.05)
            whole = len(self.links) == len(self.others)
            if self.life:
                if not self.calling or now_us() > limit_us:
                    return True
                continue
            if whole and not said and self.id != 0:
                self.links[0].say({"ready": True})
                said = True
            if whole and self.id == 0 and len(self.ready) == len(self.others):
                self.start_us = now_us() + 50_000 + 2000 * len(self.others)
                for link in self.links.values():
                    link.say({"start_us": self.start_us})
            if self.start_us is not None:
                return True
            if now_us() > limit_us:
                sys.exit(f"machine {self.id}: not connected after 60 s")
        return False

    # ── The loop ──
    def look(self, wait_s):
        """Hears what has come, waiting so long for the first; True if there was something."""
        found = self.selector.select(wait_s)
        for key, _ in found:
            if isinstance(key.fileobj, int) or key.fileobj.fileno() != -1:
                key.data(key.fileobj)
        return bool(found)

    def until(self, at_us):
        """Waits for a deadline; the time at which it looked: what came by then has been heard."""
        while not self.stopping and (left_us := at_us - now_us()) > 0:
            self.look(left_us / 1e6)
        # A look that takes longer was interrupted, and may have heard what came after its time.
        for _ in range(20):
            time_us = now_us()
            while self.look(0):
                pass
            if now_us() - time_us <= 5000:
                break
        return time_us

    def row(self, time_us, tick, event, peers, messages, clock):
        words = " ".join(map(str, peers)), " ".join(map(str, messages))
        # At the start nothing had been sent, though it may have been heard by now.
        queue = 0 if event == "start" else len(self.inbox)
        print(f"{time_us},{self.id},{tick},{event},{words[0]},{words[1]},{queue},{clock}",
              flush=True)

    def run(self):
        setup, me, speed = self.setup, self.me, self.setup["speed"]
        rolls = stream(setup["seed"], self.id, ROLLS)
        due = schedule(self.knobs["ticks"], setup["seed"], self.id, setup["rate"], setup["phase"])
        due_us = (self.start_us + at * 1e6 / speed for at in due)
        end_us = self.start_us + setup["duration"] * 1e6 / speed
        k, at_us = 0, next(due_us)
        if self.life:
            self.inbox.clear()  # What was sent to it before this row died with it.
            back_us = now_us()
            self.row(back_us, "", "restart", [], [], me["clock"])
            while at_us < back_us:
                k, at_us = k + 1, next(due_us)
        else:
            if self.until(self.start_us) < self.start_us:
                return
            self.row(self.start_us, "", "start", [], [], 0)
        while True:
            time_us = self.until(min(at_us, end_us))
            # A machine that was stalled skips what it missed: to catch up would be a burst.
            while (next_us := next(due_us)) <= time_us:
                k, at_us = k + 1, next_us
            if self.stopping or at_us >= end_us:
                return self.row(time_us, "", "stop", [], [], me["clock"])
            taken = take(self.inbox, self.knobs)
            message = max((clock for _, clock in taken), default=None)
            event, me["clock"], peers = step(me, message, uniform(rolls, k))
            messages = [clock for _, clock in taken] if taken else [me["clock"]] if peers else []
            self.row(time_us, k, event, [peer for peer, _ in taken] or peers, messages, me["clock"])
            for peer in peers:
                if peer in self.links:
                    self.links[peer].say({"clock": me["clock"]})
            k, at_us = k + 1, next_us

    def close(self):
        """Says goodbye, and waits for the others to hang up."""
        self.selector.unregister(self.server)
        self.server.close()
        for link in [*self.links.values()]:
            link.say({"stop": True})
            try:
                link.sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        limit_us = now_us() + 2e6
        while self.links and now_us() < limit_us:
            self.look(0.05)


# ── Vectors ──────────────────────────────────────────────────────────────────────────────────
def check_vectors(path):
    """Compares this machine with what the lab's model does; exits 1 if anything differs."""
    vectors = json.load(open(path, encoding="utf-8"))
    wrong = []

    def same(what, got, want):
        if got != want:
            wrong.append(f"{what}: {got}, not {want}")

    for case in vectors["rolls"]:
        chance = stream(case["seed"], case["machine"], case["purpose"])
        same(f"roll {case}", uniform(chance, case["n"]), case["value"])
    for case in vectors["steps"]:
        event, clock, peers = step(case["machine"], case["message"], case["roll"])
        same(f"step {case}", [event, clock, peers], [case["event"], case["clock"], case["peers"]])
    for case in vectors["schedules"]:
        due = schedule(case["ticks"], case["seed"], case["machine"], case["rate"], case["phase"])
        same(f"schedule {case}", [next(due) for _ in case["due_s"]], case["due_s"])
    for case in vectors["inboxes"]:
        inbox = []
        for message in case["messages"]:
            arrive(inbox, tuple(message), case["clock"], case["knobs"])
        taken = take(inbox, case["knobs"])
        same(f"inbox {case}", [[*map(list, taken)], [*map(list, inbox)]],
             [case["taken"], case["left"]])
    for case in vectors["lines"]:
        same(f"line {case['text']}", parse(case["text"].encode()), case["line"])
    print("\n".join(wrong) or f"{sum(map(len, vectors.values()))} vectors passed")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--vectors"]:
        check_vectors(sys.argv[2])
    machine = Machine()
    if machine.gather():
        machine.run()
        machine.close()
