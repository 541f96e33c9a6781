/**
 * The engine against properties that hold for every configuration, against closed forms, and
 * against statistics that are worked out from its logs by other code; and its command line.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkRun, readRun } from '../check.ts';
import {
  configure, due_s, HEADER, logPath, PURPOSE, row, stream, uniform, type Configuration,
} from '../machine.ts';
import { Engine } from '../lab/virtual/engine.ts';
import { delay_ms, logarithm, parseLatency } from '../lab/virtual/network.ts';
import { PERFECT, record, simulate, type Network, type Statistics } from '../simulate.ts';

type Wish = Partial<Configuration & Network>;

function configuration(wish: Wish = {}): Configuration & Network {
  const rates_hz = wish.rates_hz ?? [1, 4, 6];
  const drawn = configure({
    seed: 1, internal: 0.7, duration_s: 60, speed: 1, min_rate_hz: 1, max_rate_hz: 6,
    machines: rates_hz.length, ...wish, rates_hz,
  });
  const { latency, loss, reorder } = { ...PERFECT, ...wish };
  return { ...drawn, phases: wish.phases ?? drawn.phases, latency, loss, reorder };
}

/** A run's logs as text, one for each machine, and its statistics. */
function run(wish: Wish): { logs: string[]; statistics: Statistics } {
  const whole = configuration(wish);
  const logs = whole.rates_hz.map(() => '');
  const statistics = simulate(whole, (...cells) => { logs[cells[1]] += row(...cells); });
  return { logs, statistics };
}

interface Row {
  time_us: number;
  tick: number;
  event: string;
  peer: string;
  message: number;
  queue: number;
  clock: number;
}
const rowsOf = (log: string): Row[] => log.trim().split('\n').map((line) => {
  const [time_us, , tick, event, peer, message, queue, clock] = line.split(',');
  return { time_us: Number(time_us), tick: Number(tick), event: event!, peer: peer!,
    message: Number(message), queue: Number(queue), clock: Number(clock) };
});

const anyWish = fc.record({
  seed: fc.nat(2 ** 31),
  rates_hz: fc.array(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.double({ min: 0.1, max: 40,
    noNaN: true })), { minLength: 2, maxLength: 6 }),
  internal: fc.oneof(fc.constantFrom(0, 0.7, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  duration_s: fc.double({ min: 0.5, max: 30, noNaN: true }),
  latency: fc.constantFrom('constant:0', 'constant:5', 'uniform:0,400', 'exponential:150'),
  loss: fc.constantFrom(0, 0, 0.2, 1),
  reorder: fc.boolean(),
});
const anyRun = (check: (wish: Wish) => void, numRuns = 100) =>
  fc.assert(fc.property(anyWish, check), { numRuns });

// ── simulate ─────────────────────────────────────────────────────────────────────────────────

const simulates = suite('simulate');

simulates('gives the same logs for the same seed, byte for byte', () => {
  anyRun((wish) => assert.equal(run(wish).logs, run(wish).logs), 30);
});

simulates('gives logs that never change, with this hash on every computer', () => {
  const { logs } = run({ latency: 'exponential:50', loss: 0.1, seed: 7 });
  const hash = createHash('sha256').update(logs.join('')).digest('hex');
  assert.is(hash, '77f96546268fb41703b0aa27d93f5ca7338938c841290abb2210faadac31afde');
});

simulates('gives other logs for another seed', () => {
  assert.is.not(run({ seed: 1 }).logs.join(''), run({ seed: 2 }).logs.join(''));
});

simulates('is the same run in an engine that has done other work before', () => {
  fc.assert(fc.property(fc.array(anyWish, { minLength: 2, maxLength: 4 }), (wishes) => {
    const engine = new Engine(3);
    for (const wish of wishes) {
      const whole = configuration({ ...wish, rates_hz: [wish.rates_hz[0]!, wish.rates_hz[1]!, 5] });
      assert.equal(plain(engine.run(whole, whole)), plain(simulate(whole)));
    }
  }), { numRuns: 30 });
});
const plain = (statistics: Statistics) => Object.fromEntries(Object.entries(statistics)
  .map(([name, value]) => [name, typeof value === 'number' ? value : Array.from(value)]));

simulates('is the same run whether somebody looks at it or not', () => {
  anyRun((wish) => assert.equal(plain(run(wish).statistics),
    plain(simulate(configuration(wish)))), 30);
});

simulates('loses no message without a word: sent = received + queued + in flight + lost', () => {
  anyRun((wish) => {
    const { logs, statistics } = run(wish);
    const rows = logs.flatMap(rowsOf);
    const sent = rows.filter(({ event }) => event === 'send')
      .reduce((sum, { peer }) => sum + peer.split(' ').length, 0);
    const received = rows.filter(({ event }) => event === 'receive').length;
    const queued = rows.filter(({ event }) => event === 'stop')
      .reduce((sum, { queue }) => sum + queue, 0);
    assert.is(statistics.sent, sent);
    assert.is(sent, received + queued + statistics.in_flight + statistics.lost);
  });
});

simulates('ticks at (k + phase) / rate for every k before the end, and at no other time', () => {
  anyRun((wish) => {
    const { rates_hz, phases, duration_s } = configuration(wish);
    run(wish).logs.forEach((log, id) => {
      const rows = rowsOf(log).slice(1, -1);
      const due = (k: number) => due_s(k, phases[id]!, rates_hz[id]!);
      assert.equal(rows.map(({ time_us }) => time_us),
        rows.map((_, k) => Math.floor(due(k) * 1e6)));
      assert.equal(rows.map(({ tick }) => tick), [...rows.keys()]);
      assert.ok(rows.length === 0 || due(rows.length - 1) < duration_s);
      assert.ok(due(rows.length) >= duration_s);
    });
  });
});

simulates('lets machines that are due at one instant tick in the order of their ids', () => {
  const seen: number[][] = [];
  const wish = { rates_hz: [4, 2, 1, 2, 4], phases: [0, 0, 0, 0, 0], internal: 1, duration_s: 3 };
  simulate(configuration(wish), (time_us, machine, tick) => {
    if (tick !== '') seen.push([time_us, machine]);
  });
  assert.equal(seen, [...seen].sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!));
  assert.is(seen.length, 3 * (4 + 2 + 1 + 2 + 4));
});

simulates('delivers at once without latency: who ticks next in that instant receives', () => {
  const { logs } = run({ rates_hz: [1, 1], phases: [0, 0], internal: 0, duration_s: 3 });
  assert.equal(rowsOf(logs[1]!).map(({ event }) => event),
    ['start', 'receive', 'receive', 'receive', 'stop']);
});

simulates('lets a message that arrives when its receiver is due be received then', () => {
  const { logs } = run({
    rates_hz: [1, 1], phases: [0, 0.5], internal: 0, duration_s: 2, latency: 'constant:500',
  });
  assert.equal(rowsOf(logs[1]!).map(({ time_us, event }) => [time_us, event]), [
    [0, 'start'], [500_000, 'receive'], [1_500_000, 'receive'], [2_000_000, 'stop'],
  ]);
});

simulates('counts what arrives after the last tick, and nothing later, in the last queue', () => {
  const slow = { rates_hz: [0.5, 4], phases: [0, 0], internal: 0, duration_s: 2 };
  const queue = (latency: string) => run({ ...slow, latency }).statistics.final_queue[0];
  // Machine 1 ticks at 0, 0.25 … 1.75 s. Machine 0 sends at 0, so machine 1 receives one tick.
  assert.is(queue('constant:250'), 7);
  assert.is(queue('constant:251'), 6);
  assert.is(queue('constant:3000'), 0);
});

simulates('rolls a tick by (seed, machine, tick) alone, whatever the others do', () => {
  // Machine 0 hears nothing, since all is lost, so that each of its ticks shows its roll.
  const rolls = (rate_hz: number, phase: number) => rowsOf(run({
    rates_hz: [3, rate_hz, 2], phases: [0.3, phase, 0.9], internal: 0.5, loss: 1,
  }).logs[0]!).map(({ event, peer }) => `${event} ${peer}`);
  assert.equal(rolls(1, 0.1), rolls(6, 0.7));
});

simulates('keeps a channel first in, first out, unless --reorder allows otherwise', () => {
  const overtakes = (reorder: boolean) => {
    const { logs } = run({ latency: 'exponential:500', reorder, duration_s: 200, seed: 3 });
    return logs.some((log) => ['0', '1', '2'].some((from) => {
      const messages = rowsOf(log).filter(({ event, peer }) => event === 'receive' && peer === from)
        .map(({ message }) => message);
      return messages.some((message, place) => place > 0 && message < messages[place - 1]!);
    }));
  };
  assert.is(overtakes(false), false);
  assert.is(overtakes(true), true);
});

simulates('refuses a run with more ticks than its counters can hold', () => {
  assert.throws(() => simulate(configuration({ rates_hz: [1e6, 1e6], duration_s: 1e6 })),
    /more than 2147483647 ticks/);
});

simulates.run();

// ── statistics ───────────────────────────────────────────────────────────────────────────────

const statistics = suite('statistics');

/** The same measures from the logs: all machines' rows merged by time, every interval by itself. */
function naive(logs: string[], duration_s: number) {
  const end_us = duration_s * 1e6;
  const rows = logs.map((log) => rowsOf(log).filter(({ event }) => event !== 'stop'));
  const times = [...new Set(rows.flat().map(({ time_us }) => time_us)), end_us]
    .sort((a, b) => a - b);
  const clocks = rows.map(() => 0);
  const lags = rows.map(() => 0);
  const most = rows.map(() => 0);
  const next = rows.map(() => 0);
  for (const [place, time_us] of times.slice(0, -1).entries()) {
    rows.forEach((list, id) => {
      while ((list[next[id]!]?.time_us ?? Infinity) <= time_us) {
        clocks[id] = list[next[id]!]!.clock;
        next[id]!++;
      }
    });
    clocks.forEach((clock, id) => {
      const lag = Math.max(...clocks) - clock;
      lags[id]! += (lag * (times[place + 1]! - time_us)) / end_us;
      most[id] = Math.max(most[id]!, lag);
    });
  }
  return rows.map((list, id) => {
    const ticks = list.slice(1);
    const receives = ticks.filter(({ event }) => event === 'receive');
    const jumps = ticks.map(({ clock }, k) => clock - list[k]!.clock);
    const final_clock = list.at(-1)!.clock;
    return {
      ticks: ticks.length, final_clock, clock_growth_hz: final_clock / duration_s,
      mean_lag: lags[id]!, max_lag: most[id]!,
      mean_jump: jumps.reduce((sum, jump) => sum + jump, 0) / ticks.length,
      max_jump: Math.max(0, ...jumps), receive_share: receives.length / ticks.length,
    };
  });
}

/**
 * What arrives at each machine, in order, by the documented formula: a sender's message with
 * n = tick · N + receiver is lost or late by the n-th number of the sender's streams alone.
 */
function arrivals({ seed, rates_hz, phases, duration_s, latency, loss, reorder }: Configuration
  & Network, logs: string[]) {
  const sends = logs.flatMap((log, from) => rowsOf(log)
    .filter(({ event }) => event === 'send')
    .map(({ tick, peer, clock }) => ({
      from, tick, clock, peers: peer.split(' ').map(Number),
      sent_s: due_s(tick, phases[from]!, rates_hz[from]!),
    }))).sort((a, b) => a.sent_s - b.sent_s || a.from - b.from);
  return rates_hz.map((_, id) => {
    const last_s = rates_hz.map(() => 0);
    const mine = sends.filter(({ peers }) => peers.includes(id));
    return mine.flatMap(({ from, tick, clock, sent_s }) => {
      const n = tick * rates_hz.length + id;
      if (uniform(stream(seed, from, PURPOSE.loss), n) < loss) return [];
      const chance = uniform(stream(seed, from, PURPOSE.latency), n);
      let at_s = sent_s + delay_ms(parseLatency(latency), chance) / 1000;
      if (!reorder) at_s = last_s[from] = Math.max(at_s, last_s[from]!);
      return [{ at_s, from, clock }];
    }).sort((a, b) => a.at_s - b.at_s).filter(({ at_s }) => at_s <= duration_s);
  });
}

const near = (actual: number, expected: number, within: number, what: string) =>
  assert.ok(Object.is(actual, expected) || Math.abs(actual - expected) <= within,
    `${what}: ${actual} is not within ${within} of ${expected}`);

statistics('agree with the logs of the same run, read by other code', () => {
  anyRun((wish) => {
    const { logs, statistics } = run(wish);
    const { duration_s } = configuration(wish);
    naive(logs, duration_s).forEach((expected, id) => {
      for (const [name, value] of Object.entries(expected)) {
        // A log's times are cut to whole microseconds: a sum over 1000 events is off by 1 ms.
        const within = name === 'mean_lag' ? 0.01 : 1e-12 * Math.abs(value);
        near(statistics[name as 'ticks'][id]!, value, within, `${name} of machine ${id}`);
      }
    });
  });
});

statistics('agree with the logs on queues: each message waits from arrival to receive', () => {
  anyRun((wish) => {
    const { logs, statistics } = run(wish);
    const whole = configuration(wish);
    arrivals(whole, logs).forEach((arrived, id) => {
      const receives = rowsOf(logs[id]!).filter(({ event }) => event === 'receive')
        .map(({ tick }) => due_s(tick, whole.phases[id]!, whole.rates_hz[id]!));
      const waited_s = arrived.reduce((sum, { at_s }, place) =>
        sum + (receives[place] ?? whole.duration_s) - at_s, 0);
      let [queue, most] = [0, 0];
      for (const { change } of [...arrived.map(({ at_s }) => ({ at_s, change: 1 })),
        ...receives.map((at_s) => ({ at_s, change: -1 }))]
        .sort((a, b) => a.at_s - b.at_s || b.change - a.change)) {
        most = Math.max(most, (queue += change));
      }
      near(statistics.mean_queue[id]!, waited_s / whole.duration_s, 1e-9, `machine ${id}`);
      assert.is(statistics.max_queue[id], most);
      assert.is(statistics.final_queue[id], queue);
    });
  });
});

statistics('keep their digits in a long run: lags over 2 million ticks', () => {
  const wish = { rates_hz: [2, 4, 1], duration_s: 300_000, seed: 5 };
  const whole = configuration(wish);
  // Compensated sums (Kahan) over the same events, interval by interval.
  const clocks = [0, 0, 0];
  const sums = clocks.map(() => ({ sum: 0, carry: 0 }));
  let last_s = 0;
  const advance = (now_s: number) => {
    sums.forEach((total, id) => {
      const y = (Math.max(...clocks) - clocks[id]!) * (now_s - last_s) - total.carry;
      const t = total.sum + y;
      total.carry = t - total.sum - y;
      total.sum = t;
    });
    last_s = now_s;
  };
  const { mean_lag } = simulate(whole, (_, id, tick, _event, _peers, _message, _queue, clock) => {
    if (tick !== '') advance(due_s(tick, whole.phases[id]!, whole.rates_hz[id]!));
    clocks[id] = clock;
  });
  advance(whole.duration_s);
  const scale = Math.max(...sums.map(({ sum }) => sum)) / whole.duration_s;
  sums.forEach(({ sum }, id) =>
    near(mean_lag[id]!, sum / whole.duration_s, 1e-12 * scale, `mean_lag of machine ${id}`));
});

statistics('of two equal machines that never send are nothing but ticks', () => {
  const { statistics } = run({
    rates_hz: [2, 2], phases: [0, 0.5], internal: 1, duration_s: 100,
  });
  assert.equal(Array.from(statistics.final_clock), [200, 200]);
  assert.is(statistics.sent, 0);
  // Machine 0 is one ahead for half of each period, machine 1 never.
  assert.equal(Array.from(statistics.mean_lag), [0, 0.5]);
  assert.equal(Array.from(statistics.max_lag), [1, 1].map((lag, id) => (id === 0 ? 0 : lag)));
  assert.equal(Array.from(statistics.receive_share), [0, 0]);
});

statistics('of machines that never send have a lag that grows with the rates alone', () => {
  const { statistics } = run({
    rates_hz: [1, 6], phases: [0, 0], internal: 1, duration_s: 100,
  });
  // At second n machine 1 has 6n + 1 … and machine 0 has n + 1: a lag of 5n, and 2.5 on average
  // in the second from then on; the mean of 5n over n = 0 … 99 is 247.5.
  near(statistics.mean_lag[0]!, 250, 1e-9, 'mean_lag');
  assert.is(statistics.max_lag[0], 5 * 99 + 5);
  assert.is(statistics.mean_lag[1], 0);
});

statistics('of one machine that always sends to one that always receives are known', () => {
  const { statistics } = run({
    rates_hz: [1, 10], phases: [0.5, 0], internal: 0, duration_s: 1000,
  });
  const { receive_share, max_jump, final_queue, max_queue, mean_queue, sent } = statistics;
  assert.equal(Array.from(receive_share), [1, 0]);
  assert.is(sent, 10_000);
  assert.is(final_queue[0], 10_000 - 1000);
  // Machine 0 receives 1, 2, 3 … in turn: it never gets ahead of the k-th message, k.
  assert.is(statistics.final_clock[0], 1001);
  assert.is(max_jump[0], 2);
  assert.is(max_queue[0], final_queue[0]);
  near(mean_queue[0]!, 9000 / 2, 5, 'mean_queue');
});

statistics('of two equal machines that always send and hear at once take turns', () => {
  const { statistics } = run({
    rates_hz: [3, 3], phases: [0, 0.5], internal: 0, duration_s: 100,
  });
  // Machine 0 sends at each of its ticks, machine 1 receives at each of its own.
  assert.equal(Array.from(statistics.receive_share), [0, 1]);
  assert.equal(Array.from(statistics.final_clock), [300, 301]);
  assert.equal(Array.from(statistics.mean_queue), [0, 0.5]);
});

statistics('of a machine without a tick are NaN where they are a share of its ticks', () => {
  const { statistics } = run({ rates_hz: [0.1, 1], phases: [0.9, 0], duration_s: 5 });
  assert.is(statistics.ticks[0], 0);
  assert.ok(Number.isNaN(statistics.mean_jump[0]) && Number.isNaN(statistics.receive_share[0]));
});

statistics.run();

// ── chance ───────────────────────────────────────────────────────────────────────────────────

const chance = suite('uniform');

/** Chi-square of counts that should be even, as a number of standard deviations from its mean. */
function unevenness(counts: number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const square = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  return (square - (counts.length - 1)) / Math.sqrt(2 * (counts.length - 1));
}
const bins = (values: Iterable<number>, many: number) => {
  const counts = new Array<number>(many).fill(0);
  for (const value of values) counts[Math.floor(value * many)]!++;
  return counts;
};
const times = <T>(n: number, value: (k: number) => T) =>
  Array.from({ length: n }, (_, k) => value(k));

chance('fills bins evenly along a stream, whatever its seed and machine', () => {
  for (const [seed, id] of [[0, 0], [1, 0], [1, 1], [2 ** 40, 9999], [123_456, 7]] as const) {
    const rolls = stream(seed, id, PURPOSE.rolls);
    const deviation = unevenness(bins(times(200_000, (k) => uniform(rolls, k)), 1000));
    assert.ok(Math.abs(deviation) < 5, `seed ${seed}, machine ${id}: ${deviation} sd`);
  }
});

chance('fills bins evenly across seeds, across machines and across purposes', () => {
  const across = {
    seeds: (k: number) => uniform(stream(k, 0, PURPOSE.rolls), 0),
    machines: (k: number) => uniform(stream(1, k, PURPOSE.rolls), 5),
    phases: (k: number) => uniform(stream(k, 2, PURPOSE.configuration), 1),
  };
  for (const [name, draw] of Object.entries(across)) {
    const deviation = unevenness(bins(times(200_000, draw), 1000));
    assert.ok(Math.abs(deviation) < 5, `${name}: ${deviation} sd`);
  }
});

chance('has no pairs: neighbours in a stream, in seeds, in machines are independent', () => {
  const draw = (seed: number, id: number, k: number) => uniform(stream(seed, id, PURPOSE.rolls), k);
  const pairs: Record<string, (k: number) => [number, number]> = {
    ticks: (k) => [draw(1, 0, k), draw(1, 0, k + 1)],
    'ticks, two apart': (k) => [draw(9, 2, k), draw(9, 2, k + 2)],
    seeds: (k) => [draw(k, 0, 3), draw(k + 1, 0, 3)],
    machines: (k) => [draw(k, 0, 3), draw(k, 1, 3)],
    'seed and machine': (k) => [draw(k, 1, 0), draw(k + 1, 0, 0)],
    'one tick of two machines': (k) => [draw(5, 0, k), draw(5, 1, k)],
    purposes: (k) => [uniform(stream(1, 0, PURPOSE.latency), k),
      uniform(stream(1, 0, PURPOSE.loss), k)],
  };
  for (const [name, pair] of Object.entries(pairs)) {
    const cells = new Array<number>(400).fill(0);
    let sum = 0;
    for (let k = 0; k < 100_000; k++) {
      const [x, y] = pair(k);
      cells[Math.floor(x * 20) * 20 + Math.floor(y * 20)]!++;
      sum += (x - 0.5) * (y - 0.5) * 12;
    }
    assert.ok(Math.abs(unevenness(cells)) < 5, `${name}: ${unevenness(cells)} sd`);
    assert.ok(Math.abs(sum / Math.sqrt(100_000)) < 5, `${name}: correlation ${sum / 100_000}`);
  }
});

chance.run();

// ── latency and loss ─────────────────────────────────────────────────────────────────────────

const network = suite('latency and loss');

network('logarithm() is ln x to 15 digits', () => {
  fc.assert(fc.property(fc.double({ min: 2 ** -32, max: 1, noNaN: true }), (x) => {
    near(logarithm(x), Math.log(x), 4e-16 * Math.max(1, Math.abs(Math.log(x))), `ln ${x}`);
  }));
});

network('delay_ms() has the mean, the variance and the bounds of its distribution', () => {
  const draws = stream(1, 0, PURPOSE.latency);
  const expected = {
    'constant:5': [5, 0, 5, 5], 'uniform:1,9': [5, 64 / 12, 1, 9],
    'exponential:5': [5, 25, 0, 5 * 32 * Math.LN2],
  };
  for (const [text, [mean, variance, least, most]] of Object.entries(expected)) {
    const delays = times(200_000, (k) => delay_ms(parseLatency(text), uniform(draws, k)));
    const average = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    const spread = delays.reduce((sum, delay) => sum + (delay - average) ** 2, 0) / delays.length;
    near(average, mean!, 5 * Math.sqrt(variance! / delays.length), `${text}: mean`);
    near(spread, variance!, 0.02 * variance!, `${text}: variance`);
    assert.ok(delays.every((delay) => delay >= least! && delay <= most!), `${text}: bounds`);
  }
});

network('delay_ms() is exponential: e^-x of the delays are longer than x means', () => {
  const latency = parseLatency('exponential:1');
  const draws = stream(2, 0, PURPOSE.latency);
  const ranks = times(200_000, (k) => Math.exp(-delay_ms(latency, uniform(draws, k))));
  const deviation = unevenness(bins(ranks.map((rank) => Math.min(rank, 1 - 1e-12)), 100));
  assert.ok(Math.abs(deviation) < 5, `${deviation} sd`);
});

network('--loss is the share of the messages that are lost', () => {
  const { sent, lost } = simulate(configuration({ loss: 0.3, duration_s: 20_000 }));
  near(lost / sent, 0.3, 5 * Math.sqrt((0.3 * 0.7) / sent), 'share');
});

network('gives each machine what arrives by the documented formula, oldest arrival first', () => {
  anyRun((wish) => {
    const { logs, statistics } = run(wish);
    const whole = configuration(wish);
    let arrivedInAll = 0;
    arrivals(whole, logs).forEach((arrived, id) => {
      const received = rowsOf(logs[id]!).filter(({ event }) => event === 'receive');
      assert.equal(received.map(({ peer, message }) => [Number(peer), message]),
        arrived.slice(0, received.length).map(({ from, clock }) => [from, clock]));
      arrivedInAll += arrived.length;
      let taken = 0;
      for (const { event, tick, queue } of rowsOf(logs[id]!).slice(1, -1)) {
        const now_s = due_s(tick, whole.phases[id]!, whole.rates_hz[id]!);
        if (event === 'receive') taken++;
        // Without latency a peer with a higher id sends after this tick in the same instant.
        if (whole.latency !== 'constant:0') {
          assert.is(queue, arrived.filter(({ at_s }) => at_s <= now_s).length - taken);
        }
      }
    });
    const { sent, lost, in_flight } = statistics;
    assert.is(sent - lost - in_flight, arrivedInAll);
  });
});

network('parseLatency() refuses what is not a latency', () => {
  for (const text of ['', '5', 'constant', 'constant:', 'constant:-1', 'constant:x', 'uniform:3',
    'uniform:9,1', 'uniform:1,2,3', 'exponential:1,2', 'exponential:Infinity', 'normal:1']) {
    assert.throws(() => parseLatency(text), /constant:5, uniform:1,9 or exponential:5/, text);
  }
});

network.run();

// ── The command ──────────────────────────────────────────────────────────────────────────────

const command = suite('simulate.ts');

const folder = mkdtempSync(join(tmpdir(), 'simulate-'));
command.after(() => rmSync(folder, { recursive: true }));
const script = fileURLToPath(new URL('../simulate.ts', import.meta.url));
const simulateTs = (...words: string[]) => spawnSync(process.execPath,
  ['--import', import.meta.resolve('tsx'), script, ...words], { cwd: folder, encoding: 'utf8' });

command('writes a folder that is complete, and that the rule could have made', () => {
  const { status, stdout } = simulateTs('--rates', '2,4,1', '--seed', '7', '--duration', '20',
    '--latency', 'uniform:1,9', '--loss', '0.1');
  assert.is(status, 0);
  assert.match(stdout, /logs: logs\/virtual-7/);
  const logs = join(folder, 'logs', 'virtual-7');
  assert.equal(readdirSync(logs).sort(),
    ['machine-0.csv', 'machine-1.csv', 'machine-2.csv', 'run.json']);
  const recording = readRun(logs);
  assert.ok(checkRun(recording.run, recording.logs).consistent);
  const { kind, ended, latency, loss, reorder } = JSON.parse(
    readFileSync(join(logs, 'run.json'), 'utf8'));
  assert.equal({ kind, ended, latency, loss, reorder }, {
    kind: 'virtual', ended: 'finished', latency: 'uniform:1,9', loss: 0.1, reorder: false,
  });
});

command('never writes over a run: it names --name and exits with 2', () => {
  const before = readFileSync(logPath(join(folder, 'logs', 'virtual-7'), 0), 'utf8');
  const { status, stderr } = simulateTs('--seed', '7');
  assert.is(status, 2);
  assert.match(stderr, /^error: --name virtual-7: .*exists\n$/);
  assert.is(readFileSync(logPath(join(folder, 'logs', 'virtual-7'), 0), 'utf8'), before);
});

command('--runs takes seeds in a row, and the first is the run that --seed alone gives', () => {
  const { status } = simulateTs('--seed', '5', '--runs', '3', '--name', 'mine', '--duration', '5');
  assert.is(status, 0);
  const seeds = [1, 2, 3].map((nth) => {
    const { run } = readRun(join(folder, 'logs', `mine-${nth}`));
    const { seed, duration_s, rates_hz } = run;
    const again = configure({ seed, machines: 3, min_rate_hz: 1, max_rate_hz: 6, internal: 0.7,
      duration_s: 5, speed: 1 });
    assert.equal([rates_hz, duration_s], [again.rates_hz, 5]);
    return seed;
  });
  assert.equal(seeds, [5, 6, 7]);
});

command('ends with 2 and one line that names the flag when it cannot do what is asked', () => {
  for (const [flag, value] of [['--latency', 'uniform:3'], ['--duration', '1e12'],
    ['--name', '../x'], ['--rates', '3']] as const) {
    const { status, stderr } = simulateTs(flag, value);
    assert.is(status, 2, flag);
    assert.match(stderr, new RegExp(`^error: .*${flag}.*\\n$`), flag);
  }
});

command.run();

const records = suite('record');

records('writes the rows that simulate() shows, behind the header', () => {
  const wish = { rates_hz: [50, 60, 5], duration_s: 100, seed: 2 };
  const here = mkdtempSync(join(tmpdir(), 'record-'));
  record(configuration(wish), here);
  run(wish).logs.forEach((log, id) =>
    assert.is(readFileSync(logPath(here, id), 'utf8'), HEADER + log));
  rmSync(here, { recursive: true });
});

records.run();
