/** Virtual time beyond the exercise: each knob, each fault, each what-if, seen in the logs. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fault, nemesis, parseFault, parseOverride } from '../lab/model/faults.ts';
import { type Configuration, due_s, schedule } from '../lab/model/run.ts';
import { simulate } from '../lab/virtual/engine.ts';
import type { Flight } from '../lab/virtual/flights.ts';
import { anyRunOptions, configuration, rowsOf, run, type Row, type RunOptions } from './virtual.ts';
import { runs } from './runs.ts';

/** A run's rows, one list a machine, without start and stop. */
const ticksOf = (options: RunOptions): Row[][] => run(options).logs.map((log) =>
  rowsOf(log).filter(({ event }) => !['start', 'stop', 'restart'].includes(event)));
const words = (text: string | number) => String(text).split(' ').map(Number);
/** Rows with several messages keep them as text. */
const received = (options: RunOptions) => run(options).logs.map((log) =>
  log.trim().split('\n').map((line) => line.split(',')).filter((cells) => cells[3] === 'receive'));

interface Fate extends Flight { fate: string; sent_s: number }
/** What became of each message, in the order of sending. */
function fates(options: RunOptions): Fate[] {
  const all = new Map<number, Fate>();
  simulate(configuration(options), undefined, (what, message, now_s) => {
    const before = all.get(message.order);
    if (before === undefined) assert.is(what, 'sent');
    assert.ok(before === undefined || ['sent', 'arrived'].includes(before.fate), before?.fate);
    all.set(message.order, { ...message, fate: what, sent_s: before?.sent_s ?? now_s });
  });
  return [...all.values()].sort((one, other) => one.order - other.order);
}

const anyKnobs = fc.record({
  take: fc.constantFrom('oldest' as const, 'newest' as const, 'all' as const),
  queue_max: fc.constantFrom(null, 1, 3),
  drop: fc.constantFrom('oldest' as const, 'newest' as const),
  news: fc.boolean(), ticks: fc.constantFrom('regular', 'jitter:0.4', 'poisson'),
  both: fc.constantFrom(1 / 3, 0, 1, 0.5),
});
const anyFull = fc.tuple(anyRunOptions, anyKnobs, fc.boolean()).map(([options, knobs, hurt]) => {
  const whole: RunOptions = { ...options, ...knobs };
  return hurt ? { ...whole,
    faults: nemesis(['pause', 'crash', 'restart', 'cut'], configuration(whole)) } : whole;
});
const forAll = (check: (options: RunOptions) => void, numRuns: number) =>
  fc.assert(fc.property(anyFull, check), { numRuns });

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────

const knobs = suite('knobs');

knobs('at their defaults are the exercise, byte for byte', () => {
  const plain = run({ seed: 7, latency: 'uniform:0,900' });
  const stated = run({ seed: 7, latency: 'uniform:0,900', take: 'oldest', queue_max: null,
    drop: 'newest', news: false, ticks: 'regular', senders: [0, 1, 2], both: 1 / 3, faults: [] });
  assert.equal(stated.logs, plain.logs);
});

knobs('account for every message: received, queued, in flight, lost or dropped', () => {
  forAll((options) => {
    const ends = fates(options);
    const count = (fate: string) => ends.filter((message) => message.fate === fate).length;
    const { sent, lost, dropped, in_flight, final_queue } = simulate(configuration(options));
    assert.equal([ends.length, count('lost'), count('dropped'), count('sent'), count('arrived')],
      [sent, lost, dropped, in_flight, [...final_queue].reduce((sum, n) => sum + n, 0)]);
    const taken = received(options).flat().reduce((sum, cells) => sum + words(cells[5]!).length, 0);
    assert.is(count('taken'), taken);
  }, runs(6, 60));
});

knobs('keep the clock condition: a receive is above all that it took, and a tick adds one', () => {
  forAll((options) => {
    for (const log of run(options).logs) {
      let before = 0;
      for (const line of log.trim().split('\n')) {
        const [, , tick, event, , message, , clock] = line.split(',');
        if (tick === '') assert.is(Number(clock), event === 'start' ? 0 : before);
        else {
          const most = event === 'receive' ? Math.max(...words(message!)) : 0;
          assert.is(Number(clock), Math.max(before, most) + 1);
        }
        before = Number(clock);
      }
    }
  }, runs(15, 60));
});

knobs('take newest takes what came last, and leaves the old behind', () => {
  const ends = fates({ take: 'newest', rates_hz: [1, 9], internal: 0, seed: 2 });
  const taken = ends.filter(({ fate, to }) => fate === 'taken' && to === 0);
  const waiting = ends.filter(({ fate, to }) => fate === 'arrived' && to === 0);
  assert.ok(taken.length > 20 && waiting.length > 20);
  // Each tick of machine 0 takes the last of some nine that came since its tick before.
  const values = taken.map(({ clock }) => clock);
  assert.equal(values, [...values].sort((a, b) => a - b));
  assert.ok(values.at(-1)! > 9 * 59 - 20);
});

knobs('take all empties the queue: one row names every sender and message, in order', () => {
  const options: RunOptions = { take: 'all', rates_hz: [1, 6, 9], internal: 0.2 };
  const rows = received(options)[0]!;
  assert.ok(rows.some((cells) => words(cells[5]!).length > 3));
  for (const cells of rows) {
    assert.is(cells[6], '0');
    assert.is(words(cells[4]!).length, words(cells[5]!).length);
  }
  const arrived = fates(options).filter(({ to, fate }) => to === 0 && fate === 'taken');
  assert.equal(rows.flatMap((cells) => words(cells[5]!)), arrived.map(({ clock }) => clock));
});

knobs('queue_max bounds the queue, and drop says which message goes', () => {
  for (const drop of ['oldest', 'newest'] as const) {
    const options = { queue_max: 2, drop, rates_hz: [1, 9], internal: 0, seed: 4 };
    const ends = fates(options).filter(({ to }) => to === 0);
    assert.ok(simulate(configuration(options)).max_queue[0]! <= 2);
    assert.ok(ends.filter(({ fate }) => fate === 'dropped').length > 300);
    // The last to come is kept if the oldest goes, and dropped if the newest does.
    assert.is(ends.at(-1)!.fate, drop === 'oldest' ? 'arrived' : 'dropped');
  }
});

knobs('news discards what is not above the clock when it comes, and nothing else', () => {
  const options: RunOptions = { news: true, rates_hz: [6, 4, 5], seed: 3, duration_s: 200 };
  const rows = ticksOf(options);
  const clockAt = (id: number, now_s: number) =>
    rows[id]!.filter(({ time_us }) => time_us <= now_s * 1e6).at(-1)?.clock ?? 0;
  const ends = fates(options);
  assert.ok(ends.some(({ fate }) => fate === 'dropped'));
  for (const { fate, to, clock, sent_s } of ends) {
    assert.is(fate === 'dropped', clock <= clockAt(to, sent_s), `${clock} to ${to} at ${sent_s}`);
  }
});

knobs('ticks come when the model has them due, each once', () => {
  for (const ticks of ['regular', 'jitter:0.4', 'poisson']) {
    const whole = configuration({ ticks, duration_s: 200 });
    ticksOf(whole).forEach((rows, id) => {
      const due = schedule(whole, id);
      assert.equal(rows.map(({ time_us }) => time_us),
        rows.map(({ tick }) => Math.floor(due(tick) * 1e6)));
      assert.equal(rows.map(({ tick }) => tick), [...rows.keys()]);
      assert.ok(due(rows.length) >= 200);
    });
  }
});

knobs('senders alone send, and their rolls stay what they were', () => {
  const all = ticksOf({ internal: 0.2, loss: 1 });
  const some = ticksOf({ internal: 0.2, loss: 1, senders: [1] });
  assert.equal(some[1], all[1]);
  for (const id of [0, 2]) {
    assert.ok(all[id]!.some(({ event }) => event === 'send'));
    assert.ok(some[id]!.every(({ event }) => event === 'internal'));
  }
});

knobs('both is the share of the sends that go to all', () => {
  for (const both of [0, 0.25, 1]) {
    // That all or none go to all is seen of a few; a share needs many.
    const duration_s = Number.isInteger(both) ? runs(200, 2000) : 2000;
    const sends = ticksOf({ both, internal: 0, loss: 1, duration_s }).flat();
    const toAll = sends.filter(({ peer }) => peer.includes(' ')).length / sends.length;
    assert.ok(Math.abs(toAll - both) < 0.02, `${both}: ${toAll}`);
  }
});

knobs.run();

// ── Faults ───────────────────────────────────────────────────────────────────────────────────

const faults = suite('faults');

const hurt = (...texts: string[]): RunOptions =>
  ({ rates_hz: [2, 5, 3], seed: 11, internal: 0.4, faults: texts.map(parseFault) });
const between = (rows: Row[], from_s: number, to_s: number) =>
  rows.filter(({ time_us }) =>
    time_us >= Math.floor(from_s * 1e6) && time_us < Math.floor(to_s * 1e6));

faults('change nothing before they begin', () => {
  const plain = run({ ...hurt(), faults: [] }).logs;
  for (const text of ['pause 1 at 30 for 9', 'crash 1 at 30 restart 41', 'cut 0-2 at 30 for 7']) {
    run(hurt(text)).logs.forEach((log, id) => {
      const early = (text: string) =>
        text.split('\n').filter((line) => Number(line.split(',')[0]) < 30e6 && line !== '')
          .filter((line) => !line.includes('stop'));
      assert.equal(early(log), early(plain[id]!));
    });
  }
});

faults('pause: no row within, then the last tick that came due at once, and no burst', () => {
  const options = hurt('pause 1 at 30 for 9.1');
  const rows = ticksOf(options)[1]!;
  const { phases } = configuration(options);
  const last = Math.floor(39.1 * 5 - phases[1]!);
  assert.equal(between(rows, 30, 39.1), []);
  const after = between(rows, 39.1, 41);
  assert.equal([after[0]!.time_us, after[0]!.tick, after[1]!.tick], [39_100_000, last, last + 1]);
  assert.is(after[1]!.time_us, Math.floor(due_s(last + 1, phases[1]!, 5) * 1e6));
  // Messages kept coming.
  assert.ok(after[0]!.queue > 5);
});

faults('pause to the end of the run: no tick any more, and a stop', () => {
  const log = rowsOf(run(hurt('pause 1 at 50')).logs[1]!);
  assert.equal(between(log, 50, 60), []);
  assert.equal([log.at(-1)!.event, log.at(-1)!.time_us], ['stop', 60e6]);
});

faults('crash: the queue and what is sent to it are lost; there is no row and no stop', () => {
  const options = { ...hurt('crash 1 at 30'), rates_hz: [6, 1, 6] };
  const log = rowsOf(run(options).logs[1]!);
  assert.equal(between(log, 30, 61), []);
  assert.not.ok(log.some(({ event }) => event === 'stop' || event === 'restart'));
  const toIt = fates(options).filter(({ to }) => to === 1);
  assert.equal([...new Set(toIt.filter(({ sent_s }) => sent_s >= 30).map(({ fate }) => fate))],
    ['lost']);
  assert.ok(toIt.filter(({ sent_s, fate }) => sent_s < 30 && fate === 'lost').length > 10);
});

faults('crash: what it sent itself goes on', () => {
  const options = { ...hurt('crash 1 at 30'), latency: 'constant:5000' };
  assert.ok(fates(options).some(({ from, sent_s, at_s, fate }) =>
    from === 1 && sent_s < 30 && at_s > 30 && fate === 'taken'));
});

faults('restart: it returns with its clock, at the first tick that is due then', () => {
  const options = { ...hurt('crash 1 at 30 restart 41.3'), latency: 'uniform:0,3000' };
  const log = rowsOf(run(options).logs[1]!);
  const place = log.findIndex(({ event }) => event === 'restart');
  const [before, back, next] = log.slice(place - 1, place + 2);
  const { phases } = configuration(options);
  assert.equal([back!.time_us, back!.queue, back!.clock], [41_300_000, 0, before!.clock]);
  assert.is(next!.tick, Math.ceil(41.3 * 5 - phases[1]!));
  assert.is(log.at(-1)!.event, 'stop');
  // Nothing that was sent to it before its return is taken after it, and later messages are.
  const toIt = fates(options).filter(({ to, fate }) => to === 1 && fate === 'taken');
  const late = toIt.filter(({ at_s }) => at_s >= 41.3);
  assert.ok(late.length > 0 && late.every(({ sent_s }) => sent_s >= 41.3));
});

faults('cut: what is under way or sent on the link is lost, both ways, and nothing else', () => {
  const options = { ...hurt('cut 0-2 at 30 for 7'), latency: 'uniform:100,2000' };
  for (const { from, to, sent_s, at_s, fate } of fates(options)) {
    const onLink = (from === 0 && to === 2) || (from === 2 && to === 0);
    const cut = onLink && sent_s < 37 && (sent_s >= 30 || at_s >= 30);
    assert.is(fate === 'lost', cut, `${from} to ${to}, sent at ${sent_s}: ${fate}`);
  }
});

faults('at one instant: an end, a beginning, arrivals, ticks', () => {
  const options = {
    rates_hz: [1, 1], phases: [0, 0], internal: 0, duration_s: 9, latency: 'constant:1000',
  };
  // Machine 0 sends at 0, which would arrive at 1; the cut at 1 comes first, its end at 3 too.
  const ends = (faults: Fault[]) => fates({ ...options, faults })
    .filter(({ from }) => from === 0).map(({ sent_s, fate }) => [sent_s, fate]);
  const cut = ends([parseFault('cut 0-1 at 1 for 2')]);
  assert.equal(cut.slice(0, 2), [[0, 'lost'], [1, 'lost']]);
  assert.is(cut.find(([sent_s]) => sent_s === 3)?.[1] ?? 'taken', 'taken');
  // A tick that is due when a pause begins is in it, one that is due when it ends is not.
  const rows = ticksOf({ ...options, faults: [parseFault('pause 0 at 2 for 3')] })[0]!;
  assert.equal(rows.map(({ time_us }) => time_us / 1e6), [0, 1, 5, 6, 7, 8]);
});

faults('an instant after it, what was lost no longer holds up its channel', () => {
  // Nobody overtakes: so a message is late if its predecessor is, unless that one was destroyed.
  const overtaken = Array.from({ length: 20 }, (_, seed) => {
    const options = { ...hurt('cut 0-1 at 30 for 0.001'), latency: 'uniform:0,9000', seed };
    const whole = fates(options).filter(({ from, to }) => from === 1 && to === 0);
    const next = whole.find(({ sent_s }) => sent_s > 30.001)!;
    return whole.some(({ fate, at_s }) => fate === 'lost' && at_s > next.at_s);
  });
  assert.ok(overtaken.includes(true));
});

faults('of a nemesis leave rows that never stand in an outage', () => {
  for (let seed = 0; seed < runs(8, 40); seed++) {
    const whole: Configuration = configuration({ seed, duration_s: 120 });
    const drawn = nemesis(['pause', 'crash', 'restart', 'cut'], whole);
    const logs = ticksOf({ ...whole, faults: drawn });
    for (const { do: what, machine, at_s, for_s } of drawn) {
      if (what === 'cut') continue;
      assert.equal(between(logs[machine!]!, at_s, for_s === null ? 121 : at_s + for_s), []);
    }
  }
});

faults.run();

// ── What if ──────────────────────────────────────────────────────────────────────────────────

const whatIf = suite('what-if');

const forked = (...texts: string[]): RunOptions =>
  ({ rates_hz: [2, 5, 3], seed: 11, internal: 0.4, what_if: texts.map(parseOverride) });

whatIf('a roll: the tick does what it says, and nothing before it changes', () => {
  const plain = ticksOf(forked());
  const place = plain[1]!.findIndex(({ event, tick }) => event === 'internal' && tick > 40);
  const { tick, time_us } = plain[1]![place]!;
  const other = ticksOf(forked(`roll of 1 at tick ${tick} is 0.05`));
  assert.equal([other[1]![place]!.event, other[1]![place]!.peer], ['send', '0']);
  other.forEach((rows, id) => {
    const early = (list: Row[]) => list.filter((row) => row.time_us < time_us);
    assert.equal(early(rows), early(plain[id]!));
  });
});

whatIf('lose: that message is lost, and no other one', () => {
  const [, message] = fates(forked()).filter(({ from, to }) => from === 1 && to === 2);
  const ends = fates(forked(`lose ${message!.clock} from 1 to 2`));
  assert.equal(ends.filter(({ fate }) => fate === 'lost').map(({ from, to, clock }) =>
    [from, to, clock]), [[1, 2, message!.clock]]);
});

whatIf('pause: is the fault of that name', () => {
  assert.equal(run(forked('pause 1 at 10 for 5')).logs,
    run({ ...forked(), faults: [parseFault('pause 1 at 10 for 5')] }).logs);
});

whatIf('rate: the next tick keeps its share of the period, those after have the new one', () => {
  const plain = ticksOf(forked())[0]!;
  const rows = ticksOf(forked('rate of 0 from 20 is 8', 'rate of 0 from 40 is 0.5'))[0]!;
  const times = (from_s: number, to_s: number) =>
    between(rows, from_s, to_s).map(({ time_us }) => time_us / 1e6);
  assert.equal(times(0, 20), between(plain, 0, 20).map(({ time_us }) => time_us / 1e6));
  const share = (between(plain, 20, 21)[0]!.time_us / 1e6 - 20) * 2;
  times(20, 40).forEach((at_s, nth) =>
    assert.ok(Math.abs(at_s - (20 + (share + nth) / 8)) < 2e-6, `tick ${nth}: ${at_s}`));
  assert.is(times(20, 40).length, Math.ceil(20 * 8 - share));
  const late = times(40, 60);
  late.slice(1).forEach((at_s, nth) => assert.ok(Math.abs(at_s - late[nth]! - 2) < 2e-6));
  assert.ok(late[0]! - times(20, 40).at(-1)! <= 2);
  assert.equal(rows.map(({ tick }) => tick), [...rows.keys()]);
});

whatIf.run();
