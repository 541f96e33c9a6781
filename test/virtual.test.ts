/**
 * The engine against properties that hold for every configuration, against closed forms, against
 * the plain loop over the rule, and against statistics that are worked out from its logs by other
 * code.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { plain } from '../bench/plain.ts';
import { PURPOSE, stream, uniform } from '../lab/model/chance.ts';
import { delay_ms, type Network, parseLatency } from '../lab/model/network.ts';
import { EVERYONE, NO_MESSAGE, NOBODY, step } from '../lab/model/rule.ts';
import { due_s, HEADER, logPath, type Configuration } from '../lab/model/run.ts';
import { wordsBefore } from '../lab/virtual/dice.ts';
import { Engine, simulate } from '../lab/virtual/engine.ts';
import { record } from '../lab/virtual/record.ts';
import { Schedule } from '../lab/virtual/schedule.ts';
import { type Measure, MEASURES, type Statistics } from '../lab/virtual/statistics.ts';
import {
  anyRun, anyRunOptions, configuration, near, rowsOf, run,
} from './virtual.ts';
import { runs } from './runs.ts';

// ── simulate ─────────────────────────────────────────────────────────────────────────────────

const simulates = suite('simulate');

simulates('gives the same logs for the same seed, byte for byte', () => {
  anyRun((wish) => assert.equal(run(wish).logs, run(wish).logs), runs(8, 30));
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
  fc.assert(fc.property(fc.array(anyRunOptions, { minLength: 2, maxLength: 4 }), (wishes) => {
    const engine = new Engine(3);
    for (const wish of wishes) {
      const whole = configuration({ ...wish, rates_hz: [wish.rates_hz[0]!, wish.rates_hz[1]!, 5] });
      assert.equal(list(engine.run(whole, whole)), list(simulate(whole)));
    }
  }), { numRuns: runs(8, 30) });
});
const list = (statistics: Statistics): Record<string, number | number[]> =>
  Object.fromEntries(Object.entries(statistics)
    .map(([name, value]) => [name, typeof value === 'number' ? value : Array.from(value)]));

simulates('is the same run whether somebody looks at it or not; means to twelve digits', () => {
  anyRun((options) => {
    const [watched, alone] = [run(options).statistics, simulate(configuration(options))];
    for (const [name, values] of Object.entries(list(watched))) {
      for (const [id, value] of [values].flat().entries()) {
        const other = [list(alone)[name]!].flat()[id]!;
        near(other, value, name.startsWith('mean') ? 1e-12 * Math.max(1, value) : 0, name);
      }
    }
  }, runs(8, 30));
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

// ── The loops ────────────────────────────────────────────────────────────────────────────────

const loops = suite('the fast loops');

/** Rates whose order repeats, repeats after several seconds, and never repeats. */
const anyRate = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(0.5, 2.5, 0.125, 60),
  fc.double({ min: 0.05, max: 30, noNaN: true }));
/** Phases of the seed, phases that have ties at every turn, and phases with all digits. */
const anyPhases = fc.constantFrom('seed', 'zero', 'thirds');

function expectPlain(options: Partial<Configuration>): void {
  const whole = configuration(options);
  const [found, expected] = [simulate(whole), plain(whole)];
  assert.is(found.sent, expected.sent);
  for (const name of Object.keys(MEASURES) as Measure[]) {
    for (const [id, value] of expected[name].entries()) {
      const within = name.startsWith('mean') ? 1e-9 * Math.max(1, value) : 0;
      near(found[name][id]!, value, within, `${name} of machine ${id}`);
    }
  }
}

loops('give what the plain loop over step gives, whatever the rates, phases and dice', () => {
  fc.assert(fc.property(fc.record({
    seed: fc.nat(2 ** 31), rates_hz: fc.array(anyRate, { minLength: 2, maxLength: 5 }),
    internal: fc.constantFrom(0, 0.1, 0.7, 0.7, 1 - 1e-9, 1), phases: anyPhases,
    duration_s: fc.oneof(fc.constantFrom(7, 60, 16.5),
      fc.double({ min: 0.1, max: 40, noNaN: true })),
  }), ({ phases, ...options }) => expectPlain(phases === 'seed' ? options : {
    ...options, phases: options.rates_hz.map((_, id) => (phases === 'zero' ? 0 : (id % 4) / 3.5)),
  })), { numRuns: runs(15, 200) });
});

loops('give it in long runs, in which rounding reorders ticks that are nearly at once', () => {
  const long = [{ rates_hz: [1, 2, 3, 4], duration_s: 9000, seed: 5 },
    { rates_hz: [1, 4, 6], duration_s: 20_000, seed: 3 },
    { rates_hz: [2, 4, 1], duration_s: 25_000, phases: [0.3, 0.6, 0.15] }];
  for (const options of long.slice(0, runs(1, long.length))) expectPlain(options);
});

loops('give it where a queue outgrows the room of the fastest one', () => {
  expectPlain({ rates_hz: [1, 99, 3], internal: 0, duration_s: 700 });
});

loops('know the die of every machine to the word', () => {
  for (const [machines, internal] of [[2, 0.7], [3, 0.7], [3, 0.123], [7, 0.7], [40, 0]] as const) {
    for (const id of [0, 1, machines - 1]) {
      for (const place of [1, machines - 1, machines]) {
        const words = wordsBefore(id, machines, internal, place);
        const at = (word: number) => {
          const rule = { id, machines, internal, clock: 0 };
          const { to } = step(rule, NO_MESSAGE, word / 2 ** 32);
          return to === NOBODY ? machines : to === EVERYONE ? machines - 1 : to < id ? to : to - 1;
        };
        assert.ok(words === 0 || at(words - 1) < place);
        assert.ok(words === 2 ** 32 || at(words) >= place);
      }
    }
  }
});

loops('make ticks in the order of time and id, each once, window after window', () => {
  fc.assert(fc.property(fc.array(anyRate, { minLength: 2, maxLength: 9 }), fc.nat(1000),
    fc.constantFrom(33, 500), (rates_hz, seed, duration_s) => {
      const { phases } = configuration({ rates_hz, seed });
      const expected = rates_hz.flatMap((rate_hz, id) => {
        const times: [number, number][] = [];
        for (let k = 0, at_s; (at_s = due_s(k, phases[id]!, rate_hz)) < duration_s; k++) {
          times.push([at_s, id]);
        }
        return times;
      }).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, id]) => id);
      const schedule = new Schedule(rates_hz.length);
      const found: number[] = [];
      for (schedule.begin(rates_hz, phases, duration_s); schedule.next();) {
        for (let lap = 0; lap < schedule.repeats; lap++) {
          found.push(...schedule.ids.subarray(0, schedule.count));
        }
      }
      assert.ok(`${found}` === `${expected}`, 'the order differs');
    }), { numRuns: runs(5, 20) });
});

loops.run();

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

// ── latency and loss ─────────────────────────────────────────────────────────────────────────

const network = suite('latency and loss');

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

network.run();


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
