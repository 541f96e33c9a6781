"""The same work over SimPy, as its manual would have it: a process a machine, no statistics.

    python3 bench/simpy_reference.py RUNS INTERNAL DURATION RATE...

Debian's SimPy 2.3 and SimPy 3 and later are understood. Prints the CPU seconds, the ticks and a sum
of final clocks and queues over all runs.
"""
import sys
import time
from collections import deque

MASK = 0xFFFFFFFF


def mix(w):
    w = ((w ^ (w >> 16)) * 0x7FEB352D) & MASK
    w = ((w ^ (w >> 15)) * 0x846CA68B) & MASK
    return w ^ (w >> 16)


def stream(seed, machine, purpose):
    first, second = 0x243F6A88, 0x85A308D3
    for part in (seed, 0, machine, purpose):
        first = mix(((first ^ part) + 0x9E3779B9) & MASK)
        second = mix(((second ^ part) + 0x9E3779B9) & MASK)
    return first, second


def uniform(of, n):
    return mix((mix(n ^ of[0]) + of[1]) & MASK) / 4294967296.0


class State:
    def __init__(self, seed, identity, rate):
        self.identity, self.rate = identity, rate
        self.rolls = stream(seed, identity, 0)
        self.phase = uniform(stream(seed, identity, 1), 1)
        self.clock, self.ticks, self.queue = 0, 0, deque()

    def tick(self, states, sends):
        machines = len(states)
        if self.queue:
            self.clock = max(self.clock, self.queue.popleft()) + 1
        else:
            self.clock += 1
            roll = uniform(self.rolls, self.ticks)
            if roll < sends:
                if 3 * roll < 2 * sends:
                    place = int(1.5 * roll / sends * (machines - 1))
                    states[place if place < self.identity else place + 1].queue.append(self.clock)
                else:
                    for other in states:
                        if other is not self:
                            other.queue.append(self.clock)
        self.ticks += 1
        return (self.ticks + self.phase) / self.rate


def run_old(states, sends, duration):
    from SimPy.Simulation import Process, Simulation, hold

    class Machine(Process):
        def live(self, state):
            yield hold, self, state.phase / state.rate
            while True:
                due = state.tick(states, sends)
                yield hold, self, due - self.sim.now()

    simulation = Simulation()
    for state in states:
        machine = Machine(sim=simulation)
        simulation.activate(machine, machine.live(state))
    simulation.simulate(until=duration)


def run_new(states, sends, duration):
    import simpy
    environment = simpy.Environment()

    def live(state):
        yield environment.timeout(state.phase / state.rate)
        while True:
            yield environment.timeout(state.tick(states, sends) - environment.now)

    for state in states:
        environment.process(live(state))
    environment.run(until=duration)


def main():
    runs, internal, duration = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    rates = [float(rate) for rate in sys.argv[4:]]
    try:
        import simpy  # noqa: F401
        run = run_new
    except ImportError:
        import SimPy  # noqa: F401
        run = run_old
    ticks = check = 0
    begin = time.process_time()
    for seed in range(1, runs + 1):
        states = [State(seed, identity, rate) for identity, rate in enumerate(rates)]
        run(states, 1 - internal, duration)
        ticks += sum(state.ticks for state in states)
        check += sum(state.clock + len(state.queue) for state in states)
    print(time.process_time() - begin, ticks, check)


main()
