import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PURPOSE, stream, uniform } from '../lab/model/chance.ts';
import {
  checkFaults, type Fault, faultText, faultWords, KINDS, machinesOf, nemesis, type Override,
  overrideText, parseFault, parseOverride,
} from '../lab/model/faults.ts';
import { arrive, Inbox, largest, take } from '../lab/model/inbox.ts';
import { parseLatency } from '../lab/model/network.ts';
import { RunError, validateRun } from '../lab/model/record.ts';
import {
  EVERYONE, type Machine, NO_MESSAGE, NOBODY, receivers, step,
} from '../lab/model/rule.ts';
import {
  configure, due_s, EXERCISE, knobsOf, otherThanExercise, parseTicks, row, schedule,
} from '../lab/model/run.ts';

const machine = (id: number, machines = 3, internal = 0.7, clock = 10): Machine =>
  ({ id, machines, internal, clock });
const anyMachine = fc.integer({ min: 2, max: 40 }).chain((machines) => fc.record({
  id: fc.integer({ min: 0, max: machines - 1 }),
  machines: fc.constant(machines),
  internal: fc.double({ min: 0, max: 1, noNaN: true }),
  clock: fc.nat(),
}));
const anyRoll = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((word) => word / 2 ** 32);

// ── The rule ────────────────────────────────────────────────────────────────────────────────

const rule = suite('step');
rule('takes max + 1 on receive, whatever the die says', () => {
  assert.equal(step(machine(0), 3, 0), { event: 'receive', clock: 11, to: NOBODY });
  assert.equal(step(machine(0), 10, 0.5), { event: 'receive', clock: 11, to: NOBODY });
  assert.equal(step(machine(0), 41, 0.9), { event: 'receive', clock: 42, to: NOBODY });
  fc.assert(fc.property(anyMachine, fc.nat(), anyRoll, (before, message, roll) => {
    const after = step(before, message, roll);
    assert.is(after.event, 'receive');
    assert.is(after.clock, Math.max(before.clock, message) + 1);
    assert.ok(after.clock > message, 'a receive is later than its send');
  }));
});
rule('reads the ten-sided die as the exercise does: one, the other, both, then internal', () => {
  const sides = Array.from({ length: 10 }, (_, side) => 
    step(machine(1), NO_MESSAGE, (side + 0.5) / 10));
  assert.equal(sides.map(({ event }) => event),
    ['send', 'send', 'send', ...Array.from({ length: 7 }, () => 'internal')]);
  assert.equal(sides.slice(0, 3).map(({ to }) => receivers(machine(1), to)), [[0], [2], [0, 2]]);
});
rule('raises the clock by one when it does not receive', () => {
  fc.assert(fc.property(anyMachine, anyRoll, (before, roll) => {
    assert.is(step(before, NO_MESSAGE, roll).clock, before.clock + 1);
  }));
});
rule('sends to one other machine or to all others, never to itself', () => {
  fc.assert(fc.property(anyMachine, anyRoll, (before, roll) => {
    const { event, to } = step(before, NO_MESSAGE, roll);
    const ids = receivers(before, to);
    assert.is(event, ids.length === 0 ? 'internal' : 'send');
    assert.ok([0, 1, before.machines - 1].includes(ids.length));
    assert.ok(ids.every((id) => id !== before.id && id >= 0 && id < before.machines));
    assert.is(new Set(ids).size, ids.length);
  }));
});
rule('gives each of five peers the same share, and all of them a third of the sends', () => {
  const counts = new Map<number, number>();
  const rolls = 30_000;
  for (let n = 0; n < rolls; n++) {
    const { to } = step(machine(2, 6, 0.5), NO_MESSAGE, (n + 0.5) / rolls);
    counts.set(to, (counts.get(to) ?? 0) + 1);
  }
  assert.equal([...counts].sort(([a], [b]) => a - b),
    [[EVERYONE, 5000], [NOBODY, 15000], [0, 2000], [1, 2000], [3, 2000], [4, 2000], [5, 2000]]);
});
rule('sends everything to the one peer where there are two machines', () => {
  fc.assert(fc.property(anyRoll, fc.integer({ min: 0, max: 1 }), (roll, id) => {
    const before = machine(id, 2, 0);
    assert.equal(receivers(before, step(before, NO_MESSAGE, roll).to), [1 - id]);
  }));
});
rule('sends to all as often as `both` says, and to each peer alike with the rest', () => {
  const counts = new Map<number, number>();
  for (let n = 0; n < 10_000; n++) {
    const { to } = step({ ...machine(1, 3, 0), both: 0.2 }, NO_MESSAGE, (n + 0.5) / 10_000);
    counts.set(to, (counts.get(to) ?? 0) + 1);
  }
  assert.equal([...counts].sort(([a], [b]) => a - b), [[EVERYONE, 2000], [0, 4000], [2, 4000]]);
  fc.assert(fc.property(anyMachine, anyRoll, (before, roll) => {
    const stated = step({ ...before, both: 1 / 3 }, NO_MESSAGE, roll);
    assert.equal(stated, step(before, NO_MESSAGE, roll), 'a stated third is the exercise');
  }));
});
rule('makes an internal event of a send where the machine may not send', () => {
  fc.assert(fc.property(anyMachine, anyRoll, (before, roll) => {
    const { event, clock } = step({ ...before, sends: false }, NO_MESSAGE, roll);
    assert.equal([event, clock], ['internal', before.clock + 1]);
  }));
});
rule('never sends with internal 1 and always with internal 0', () => {
  fc.assert(fc.property(anyMachine, anyRoll, (before, roll) => {
    assert.is(step({ ...before, internal: 1 }, NO_MESSAGE, roll).event, 'internal');
    assert.is(step({ ...before, internal: 0 }, NO_MESSAGE, roll).event, 'send');
  }));
});
rule('changes nothing and gives the same step for the same arguments', () => {
  fc.assert(fc.property(anyMachine, fc.integer({ min: -1 }), anyRoll, (before, message, roll) => {
    const frozen = Object.freeze({ ...before });
    assert.equal(step(frozen, message, roll), step(frozen, message, roll));
  }));
});
rule('is at most 30 lines', () => {
  const source = readFileSync(new URL('../lab/model/rule.ts', import.meta.url), 'utf8');
  const lines = /export function step[^]*?\n}\n/.exec(source)![0].split('\n').length;
  assert.ok(lines <= 30, `${lines} lines`);
});
rule.run();

// ── Chance ──────────────────────────────────────────────────────────────────────────────────

const chance = suite('uniform');
chance('is a function of seed, machine, purpose and number alone', () => {
  const rolls = (seed: number, id: number, purpose: number) =>
    Array.from({ length: 5 }, (_, n) => uniform(stream(seed, id, purpose), n));
  assert.equal(rolls(7, 1, PURPOSE.rolls), rolls(7, 1, PURPOSE.rolls));
  const others = [
    rolls(7, 1, PURPOSE.rolls), rolls(8, 1, PURPOSE.rolls), rolls(7, 2, PURPOSE.rolls),
    rolls(7, 1, PURPOSE.latency), rolls(7 + 2 ** 32, 1, PURPOSE.rolls)].flat();
  assert.is(new Set(others).size, others.length);
});
chance('has not changed since the first release: recorded seeds stay what they were', () => {
  const s = stream(7, 0, PURPOSE.rolls);
  assert.equal([0, 1, 2].map((n) => uniform(s, n) * 2 ** 32), [4240403241, 2822001426, 904261828]);
});
chance('stays in [0, 1) and does not repeat within a stream', () => {
  const s = stream(2 ** 53 - 1, 9_999, PURPOSE.rolls);
  const rolls = Array.from({ length: 10_000 }, (_, n) => uniform(s, n));
  assert.ok(rolls.every((roll) => roll >= 0 && roll < 1));
  assert.is(new Set(rolls).size, rolls.length);
});
chance.run();

const options = { seed: 1, machines: 3, internal: 0.7, duration_s: 60 };
const drawn = { ...options, rates_range: [1, 6] as [number, number] };
const draw = suite('configure');
draw('draws each rate from 1 to 6 about equally often, and phases all over the period', () => {
  const all = Array.from({ length: 2000 }, (_, seed) => configure({ ...drawn, seed }));
  for (const rate_hz of [1, 2, 3, 4, 5, 6]) {
    const share =
      all.flatMap(({ rates_hz }) => rates_hz).filter((r) => r === rate_hz).length / 6000;
    assert.ok(Math.abs(share - 1 / 6) < 0.02, `${rate_hz} Hz: ${share}`);
  }
  const phases = all.flatMap((configuration) => configuration.phases);
  assert.ok(Math.abs(phases.reduce((sum, phase) => sum + phase, 0) / 6000 - 0.5) < 0.02);
  assert.ok(phases.every((phase) => phase >= 0 && phase < 1));
});
draw('takes the rates that it is given, and the same phases whatever they are', () => {
  const given = configure({ ...options, rates_hz: [0.5, 100, 3] });
  assert.equal(given.rates_hz, [0.5, 100, 3]);
  assert.equal(given.phases, configure(drawn).phases);
});
draw.run();

const due = suite('due_s');
due('is exact after a million ticks: nothing adds up', () => {
  assert.is(due_s(1_000_000, 0, 10), 100_000);
  assert.is(due_s(3, 0.5, 2), 1.75);
});
due.run();

const ticks = suite('schedule');
const configured = (ticks: string, seed = 3) => configure({ ...drawn, seed, ticks });
ticks('is due_s where ticks are regular, and does not fall where they are not', () => {
  const regular = configured('regular');
  const { rates_hz, phases } = regular;
  assert.is(schedule(regular, 1)(40), due_s(40, phases[1]!, rates_hz[1]!));
  for (const how of ['jitter:0.49', 'poisson']) {
    const due = schedule(configured(how), 0);
    const times = Array.from({ length: 500 }, (_, k) => due(k));
    assert.ok(times.every((time_s, k) => time_s >= (times[k - 1] ?? 0)), how);
  }
});
ticks('moves a tick by less than half a period, on both sides of where it would be', () => {
  const configuration = configured('jitter:0.3');
  const [rate_hz, phase] = [configuration.rates_hz[0]!, configuration.phases[0]!];
  const due = schedule(configuration, 0);
  const off = Array.from({ length: 1000 }, (_, k) => due(k + 1) * rate_hz - (k + 1 + phase));
  assert.ok(off.every((periods) => Math.abs(periods) <= 0.3 + 1e-9));
  assert.ok(Math.min(...off) < -0.28 && Math.max(...off) > 0.28);
});
ticks('has gaps of the mean period where they are Poisson, and one history', () => {
  const configuration = configured('poisson');
  const due = schedule(configuration, 2);
  const n = 20_000;
  const mean_s = due(n - 1) / n;
  assert.ok(Math.abs(mean_s * configuration.rates_hz[2]! - 1) < 0.03);
  assert.is(due(100), schedule(configuration, 2)(100), 'also when asked backwards');
});
ticks('refuses what is no schedule, in one sentence', () => {
  for (const text of ['', 'jitter:0.5', 'jitter:-0.1', 'jitter:1e9', 'random', 'jitter']) {
    assert.throws(() => parseTicks(text), (error: unknown) => error instanceof RangeError, text);
  }
});
ticks.run();

const log = suite('row');
log('has the columns of the header in its order', () => {
  assert.is(row(12, 1, 5, 'send', '0 2', 9, 0, 9), '12,1,5,send,0 2,9,0,9\n');
  assert.is(row(0, 1, '', 'start', '', '', 0, 0), '0,1,,start,,,0,0\n');
});
log.run();

// ── Inboxes ─────────────────────────────────────────────────────────────────────────────────

const message = fc.record({ from: fc.nat(5), clock: fc.nat(50) });
const inbox = suite('inbox');
inbox('of the exercise is first in, first out, and loses nothing', () => {
  fc.assert(fc.property(fc.array(message), (messages) => {
    const waiting = new Inbox();
    for (const one of messages) assert.is(arrive(waiting, one, 0, EXERCISE), null);
    const taken = messages.map(() => take(waiting, EXERCISE));
    assert.equal(taken.flat(), messages);
    assert.equal(take(waiting, EXERCISE), []);
  }));
});
inbox('takes the newest first, or everything in the order of arrival', () => {
  const messages = [3, 9, 4].map((clock) => ({ from: 0, clock }));
  const waiting = new Inbox(messages);
  assert.equal(take(new Inbox(messages), { take: 'newest' }), [{ from: 0, clock: 4 }]);
  const all = take(waiting, { take: 'all' });
  assert.equal(all.map(({ clock }) => clock), [3, 9, 4]);
  assert.is(largest(all), 9);
  assert.is(waiting.length, 0);
});
inbox('never holds more than its bound, and tells which message went', () => {
  const sides = fc.constantFrom('oldest' as const, 'newest' as const);
  fc.assert(fc.property(fc.array(message), fc.integer({ min: 1, max: 5 }), sides,
    (messages, queue_max, drop) => {
      const waiting = new Inbox();
      const gone = messages.map((one) =>
        arrive(waiting, one, 0, { ...EXERCISE, queue_max, drop })).filter((one) => one !== null);
      assert.is(waiting.length, Math.min(messages.length, queue_max));
      assert.is(waiting.length + gone.length, messages.length);
      const kept = drop === 'oldest' ? messages.slice(-queue_max) : messages.slice(0, queue_max);
      assert.equal(waiting.toArray(), kept);
    }));
});
inbox('lets only news wait where `news` says so: values above the clock', () => {
  const waiting = new Inbox();
  const news = { ...EXERCISE, news: true };
  for (const clock of [4, 5, 6]) arrive(waiting, { from: 1, clock }, 5, news);
  assert.equal(waiting.toArray().map(({ clock }) => clock), [6]);
});
inbox('takes the first of very many as fast as of few', () => {
  const many = new Inbox();
  for (let clock = 0; clock < 300_000; clock++) many.push({ from: 0, clock });
  const begin_ms = performance.now();
  for (let n = 0; n < 300_000; n++) take(many, EXERCISE);
  assert.ok(performance.now() - begin_ms < 10_000); // An array needs minutes.
});
inbox.run();

// ── Knobs ───────────────────────────────────────────────────────────────────────────────────

const knobs = suite('knobs');
knobs('that are the exercise\'s are not stored, and read back the same', () => {
  assert.equal(otherThanExercise(EXERCISE), {});
  const { take: which, ...rest } = configure({ ...drawn, ...EXERCISE, take: 'all' });
  assert.is(which, 'all');
  assert.not.ok('news' in rest);
  assert.equal(knobsOf({ take: 'all' }), { ...EXERCISE, take: 'all' });
});
knobs.run();

// ── Faults ──────────────────────────────────────────────────────────────────────────────────

const faults = suite('faults');
faults('are read from words and told in the same words', () => {
  for (const text of ['pause 0 at 10 for 3', 'crash 1 at 20 restart 25', 'crash 1 at 20',
    'cut 0-2 at 30 for 5', 'cut 0-2 at 30.5']) assert.is(faultText(parseFault(text)), text);
  assert.equal(parseFault('cut 2-0 at 30 for 5').link, [0, 2]);
  for (const text of ['', 'pause', 'pause 0', 'stop 0 at 3', 'cut 0 at 3', 'crash 1 at -2']) {
    assert.throws(() => parseFault(text), /is not like/, text);
  }
});
faults('are read back from their words to the last bit, which have no needless digits', () => {
  const crash: Fault = { do: 'crash', machine: 1, at_s: 0.3, for_s: 15.635 };
  assert.is(crash.at_s + crash.for_s!, 15.935);
  assert.is(faultText(crash), 'crash 1 at 0.3 restart 15.935');
  const odd: Fault = { ...crash, at_s: 10.1, for_s: 5.835 };
  assert.is(odd.at_s + odd.for_s!, 15.934999999999999);
  assert.is(faultText(odd), 'crash 1 at 10.1 for 5.835', 'no return in decimals is read as 5.835');
  assert.is(faultWords(odd), 'crash 1 at 10.1 restart 15.935');
  assert.is(faultText(parseFault('crash 1 at 1e-7 restart 25')), 'crash 1 at 1e-7 restart 25');
  const time_s = fc.double({ min: 1e-9, max: 1e6, noNaN: true });
  fc.assert(fc.property(fc.constantFrom('pause', 'crash', 'cut'), time_s,
    fc.option(time_s), (what, at_s, for_s) => {
      const aim = what === 'cut' ? { link: [0, 2] as [number, number] } : { machine: 2 };
      const fault = { do: what, ...aim, at_s, for_s } as Fault;
      assert.equal(parseFault(faultText(fault)), fault);
    }));
});
const run = { machines: 3, duration_s: 60 };
const check = (...texts: string[]) => checkFaults(texts.map(parseFault), run);
faults('are refused where they name no machine, are outside the run, or overlap', () => {
  check('pause 0 at 10 for 3', 'pause 1 at 11 for 3', 'cut 0-2 at 13.5 for 100', 'crash 1 at 20');
  assert.throws(() => check('pause 3 at 10 for 3'), /from 0 to 2/);
  assert.throws(() => check('cut 1-1 at 10 for 3'), /from 0 to 2/);
  assert.throws(() => check('pause 0 at 60 for 3'), /inside/);
  assert.throws(() => check('crash 1 at 20 restart 20'), /before it begins/);
  assert.throws(() => check('crash 1 at 20', 'pause 1 at 50 for 1'), /overlap/);
  assert.throws(() => check('cut 0-1 at 10 for 5', 'pause 1 at 12 for 1'), /overlap/);
});
faults('that are drawn can be done, hold every kind, and depend on the seed', () => {
  const some = fc.subarray([...KINDS], { minLength: 1 });
  fc.assert(fc.property(fc.nat(), some, fc.integer({ min: 2, max: 9 }), (seed, kinds, machines) => {
    const configuration = configure({ ...drawn, seed, machines, duration_s: 70 });
    const schedule: Fault[] = nemesis(kinds, configuration);
    checkFaults(schedule, configuration);
    assert.equal(nemesis(kinds, configuration), schedule);
    assert.ok(schedule.length >= kinds.length);
    const done = new Set(schedule.map((fault) => fault.do));
    for (const kind of kinds) assert.ok(done.has(kind === 'restart' ? 'crash' : kind), kind);
    const before = schedule.slice(0, -1);
    assert.ok(before.every(({ for_s }) => for_s !== null), 'a crash for good is last');
    assert.ok(schedule.every((fault) => machinesOf(fault).every((id) => id < machines)));
  }));
});
faults('that might be are read from words and told in the same words', () => {
  const all: [string, Override][] = [
    ['roll of 0 at tick 17 is 0.05', { do: 'roll', machine: 0, tick: 17, roll: 0.05 }],
    ['lose 23 from 0 to 2', { do: 'lose', from: 0, to: 2, clock: 23 }],
    ['pause 1 at 10 for 5', { do: 'pause', machine: 1, at_s: 10, for_s: 5 }],
    ['rate of 2 from 20 is 6', { do: 'rate', machine: 2, at_s: 20, rate_hz: 6 }]];
  for (const [text, override] of all) {
    assert.equal(parseOverride(text), override);
    assert.is(overrideText(override), text);
  }
  for (const text of ['', 'roll of 0 at tick 1 is 1', 'rate of 2 from 20 is 0', 'pause 1 at 10']) {
    assert.throws(() => parseOverride(text), /is not like/, text);
  }
});
faults.run();

// ── run.json ────────────────────────────────────────────────────────────────────────────────

const record = suite('validateRun');
const good = {
  ...configure({ ...drawn, rates_hz: [1, 4, 6] }), kind: 'virtual', start_us: 0,
  latency: 'constant:5', loss: 0, reorder: false, ended: 'finished',
  versions: { lab: '0.2.0', node: 'v20' },
};
record('takes what the lab writes', () => {
  validateRun(JSON.parse(JSON.stringify(good)));
  validateRun({ ...good, ...EXERCISE, dice: ['seed', 'own', 'seed'],
    faults: [parseFault('pause 0 at 10 for 3')], nemesis: ['pause'] });
});
record('refuses each field that cannot be, and names it', () => {
  const bad: Record<string, unknown[]> = {
    kind: [undefined, 'real'], seed: [-1, 1.5, '7'], machines: [1, 3.5, 1e9], internal: [-0.1, 2],
    rates_hz: [[1, 4], [1, 4, 0], [1, 4, Infinity], 3], phases: [[0, 0, 1], [0, 0, -1], null],
    duration_s: [0, Infinity, '60'], speed: [0, null], start_us: [-1, 0.5], ended: [3],
    latency: ['exponential:1e309', 'uniform:0,e', 'constant: 5', 'constant:0x10', 'none'],
    wire: ['udp'], loss: [1.1, '0'], reorder: ['yes'], take: ['any'], queue_max: [0, -1],
    ticks: ['jitter:2'], senders: [[3], 'all'], both: [2], rates_range: [[6, 1], [1]],
    dice: ['mine', ['seed']],
    faults: [[{ do: 'pause', machine: 9, at_s: 1, for_s: 1 }], [null], {}], nemesis: [['rain']],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      assert.throws(() => validateRun({ ...good, [name]: value }), (error: unknown) =>
        error instanceof RunError && error.message.startsWith(name), `${name}: ${value}`);
    }
  }
  const { latency, loss, reorder, ...rest } = good;
  assert.throws(() => validateRun({ ...rest, kind: 'sockets', loss }), /^loss/);
  for (const value of [null, 3, [], 'run']) assert.throws(() => validateRun(value), /no JSON/);
});
record('reads a latency as the simulator does', () => {
  const right = ['constant:0', 'constant:5', 'uniform:1,9', 'exponential:.5', 'constant:1e3'];
  for (const text of right) parseLatency(text);
  for (const text of ['constant:-1', 'uniform:9,1', 'uniform:1', 'exponential:', 'constant:5 ']) {
    assert.throws(() => parseLatency(text), /It is not/, text);
  }
});
record.run();
