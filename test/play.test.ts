import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Override, parseOverride } from '../lab/model/faults.ts';
import { RunError } from '../lab/model/record.ts';
import { EVERYONE, NO_MESSAGE, NOBODY, step } from '../lab/model/rule.ts';
import { machineOf } from '../lab/model/run.ts';
import { rankOf } from '../lab/report/play.ensemble.ts';
import {
  addRow, countUpTo, emptyFilm, type Film, flyingAt, loseBetween, momentsAt, nextTick, previousTick,
  type Row,
} from '../lab/report/play.film.ts';
import { recordedOf, twinOf } from '../lab/report/play.recorded.ts';
import { curvesOf, partAt } from '../lab/report/play.series.ts';
import { driftsOf, filesOf, filmOf } from '../lab/report/play.run.ts';
import {
  addressOf, commandOf, configurationOf, PLAIN, readAddress, type Setting, TICKS_MOST,
} from '../lab/report/play.setting.ts';
import { after_s, choicesAt, rollFor, withOverride } from '../lab/report/play.whatif.ts';
import { headline, outcome, predictionOf, theoryWords } from '../lab/report/play.words.ts';
import { record } from '../lab/virtual/record.ts';
import { runs } from './runs.ts';

const versions = { lab: '1', node: 'v20' };
const short = (more: Partial<Setting> = {}): Setting => ({ ...PLAIN, duration_s: 12, ...more });
const anyRates = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 });
const anyRun = fc.record({
  seed: fc.nat(), rates_hz: anyRates, internal: fc.constantFrom(0, 0.3, 0.7, 1),
  latency: fc.constantFrom('constant:0', 'constant:300', 'uniform:0,900', 'exponential:200'),
  loss: fc.constantFrom(0, 0.2),
}).map((more) => short({ ...more, machines: more.rates_hz.length, duration_s: 8 }));

// ── A film ───────────────────────────────────────────────────────────────────────────────────

const film = suite('a film');

function showsItsLog(setting: Setting): void {
  const run = filmOf(setting);
  for (const place of run.order) {
    const moment = momentsAt(run, run.time_s[place]!)[run.machine[place]!]!;
    if (moment.last !== place) continue; // Two events in one microsecond.
    assert.is(moment.clock, run.clock[place]);
    assert.is(moment.queue, run.queue[place], `${addressOf(setting)} at ${run.time_s[place]}`);
  }
}

film('shows at each event the clock and the queue that the log has there', () => {
  fc.assert(fc.property(anyRun, showsItsLog), { numRuns: runs(15, 60) });
});

film('does not count a message that comes right after a row, in its microsecond', () => {
  showsItsLog(short({ seed: 2147483629, rates_hz: [1, 1, 5], machines: 3, internal: 0,
    latency: 'uniform:0,900', duration_s: 8 }));
});

film('is the same at a time however one came there', () => {
  fc.assert(fc.property(anyRun, fc.array(fc.double({ min: 0, max: 8, noNaN: true })),
    (setting, times) => {
      const [one, other] = [filmOf(setting), filmOf(setting)];
      for (const t of times) momentsAt(one, t);
      assert.equal(momentsAt(one, 4), momentsAt(other, 4));
    }), { numRuns: runs(8, 20) });
});

film('steps back to where it came from', () => {
  fc.assert(fc.property(anyRun, (setting) => {
    const run = filmOf(setting);
    const times = [0];
    for (let t = nextTick(run, 0); t < run.end_s; t = nextTick(run, t)) times.push(t);
    assert.ok(times.length > 8 || run.machines === 2);
    for (let nth = times.length - 1; nth > 0; nth--) {
      assert.is(previousTick(run, times[nth]!), times[nth - 1]);
    }
  }), { numRuns: runs(8, 20) });
});

film('has a message under way from its send to its arrival, then waiting until taken', () => {
  const setting = short({ rates_hz: [2, 4, 3], latency: 'constant:400' });
  const run = filmOf(setting);
  assert.ok(run.messages.length > 10);
  for (const message of run.messages) {
    const { sent_s, arrival_s, to } = message;
    if (arrival_s >= run.end_s) continue;
    assert.ok(Math.abs(arrival_s - sent_s - 0.4) < 2e-6, `${arrival_s - sent_s}`);
    assert.ok(flyingAt(run, (sent_s + arrival_s) / 2).includes(message));
    assert.not.ok(momentsAt(run, (sent_s + arrival_s) / 2)[to]!.waiting.includes(message));
    const before_s = Math.min(message.gone_s, run.end_s);
    if (before_s - arrival_s < 1e-5) continue;
    assert.ok(momentsAt(run, (arrival_s + before_s) / 2)[to]!.waiting.includes(message));
  }
});

film('links a receive with its send even if it hears of the receive first', () => {
  const row = (more: Partial<Row>): Row => ({ time_s: 1, machine: 0, tick: 0, event: 'internal',
    peers: [], values: [], queue: 0, clock: 1, ...more });
  const live = emptyFilm({ name: 'live', rates_hz: [1, 1], duration_s: 9 });
  addRow(live, row({ time_s: 2, machine: 1, event: 'receive', peers: [0], values: [1], clock: 2 }));
  addRow(live, row({ event: 'send', peers: [1], values: [1] }));
  assert.equal(live.cause, [1, -1]);
  assert.equal(live.order, [1, 0]);
  assert.is(momentsAt(live, 1.5)[1]!.queue, 1);
  assert.is(momentsAt(live, 2)[1]!.queue, 0);
});

film('knows by later rows what was lost, where order is kept', () => {
  const live = emptyFilm({ name: 'live', rates_hz: [9, 1], duration_s: 9, inOrder: true });
  const send = (time_s: number, clock: number) => addRow(live, { time_s, machine: 0, tick: clock,
    event: 'send', peers: [1], values: [clock], queue: 0, clock });
  const other = { machine: 1, peers: [], values: [], queue: 0, clock: 9 };
  for (const clock of [1, 2, 3]) send(clock, clock);
  addRow(live, { ...other, time_s: 4, tick: 0, event: 'receive', peers: [0], values: [2] });
  assert.equal(live.messages.map(({ lost }) => lost), [true, false, false]);
  send(5, 4);
  addRow(live, { ...other, time_s: 6, tick: -1, event: 'restart' });
  assert.is(momentsAt(live, 3.5)[1]!.queue, 2); // 2 and 3; with the crash 3 goes, and 4 never came.
  assert.equal(live.messages.map(({ lost }) => lost), [true, false, false, true]);
  assert.is(momentsAt(live, 6)[1]!.queue, 0);
});

film('loses what was sent over a cut link, and neither what came before nor by others', () => {
  const live = emptyFilm({ name: 'live', rates_hz: [9, 1, 9], duration_s: 9, inOrder: true });
  for (const [time_s, machine] of [[1, 0], [3, 0], [3.5, 2], [5, 0]] as const) {
    addRow(live, { time_s, machine, tick: time_s, event: 'send', peers: [1], values: [time_s],
      queue: 0, clock: time_s });
  }
  loseBetween(live, 0, 1, 2, 4);
  assert.equal(live.messages.map(({ lost }) => lost), [false, true, false, false]);
  assert.is(momentsAt(live, 6)[1]!.queue, 3);
  loseBetween(live, null, 1, 2, Infinity);
  assert.equal(live.messages.map(({ lost }) => lost), [false, true, true, true]);
});

film('has lag and queue over time as its moments have them', () => {
  const run = filmOf(short({ rates_hz: [1, 4, 6] }));
  const { times_s, lags, queues } = curvesOf(run, 50);
  times_s.forEach((t, look) => momentsAt(run, t).forEach(({ lag, queue, last }, id) => {
    assert.is(lags[id]![look], lag);
    // Between events the log says nothing of what came.
    if (last >= 0 && run.time_s[last] === t) assert.is(queues[id]![look], queue);
  }));
});

film('parts from another where they first differ, and never from itself', () => {
  const one = filmOf(short({ seed: 4 }));
  assert.is(partAt(one, filmOf(short({ seed: 4 }))), Infinity);
  assert.ok(partAt(one, filmOf(short({ seed: 5 }))) < 2);
});

film('counts in a sorted list', () => {
  fc.assert(fc.property(fc.array(fc.nat(20)), fc.nat(20), (list, x) => {
    const sorted = [...list].sort((a, b) => a - b);
    assert.is(countUpTo(sorted.length, (at) => sorted[at]!, x),
      list.filter((one) => one <= x).length);
  }));
});

film.run();

// ── Files ────────────────────────────────────────────────────────────────────────────────────

const files = suite('files');

/** A run's folder as the library of simulate.ts writes it. */
function written(setting: Setting): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'play-'));
  try {
    record(configurationOf(setting), folder);
    return new Map([...filesOf(setting, versions).keys()].map((name) =>
      [name, readFileSync(join(folder, name), 'utf8')]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

files('are those of simulate.ts byte for byte, run.json but for its versions', () => {
  fc.assert(fc.property(anyRun, (setting) => {
    const [own, theirs] = [filesOf(setting, versions), written(setting)];
    assert.equal([...own.keys()], [...theirs.keys()]);
    for (const [name, text] of own) {
      if (name !== 'run.json') assert.is(text, theirs.get(name));
      else assert.is(JSON.stringify({ ...JSON.parse(text), versions: 0 }),
        JSON.stringify({ ...JSON.parse(theirs.get(name)!), versions: 0 }));
    }
  }), { numRuns: runs(3, 12) });
});

const dropped = (setting: Setting, names?: string[]) => [...filesOf(setting, versions)]
  .filter(([name]) => !names || names.includes(name))
  .map(([name, text]) => ({ name: `folder/${name}`, bytes: new TextEncoder().encode(text) }));

/** What two films of one run must have in common. */
const columns = ({ machine, time_s, tick, event, peers, queue, clock, cause }: Film) =>
  ({ machine, time_s, tick, event, peers, queue, clock, cause });

files('that are dropped make the film of the run that wrote them', () => {
  const setting = short({ rates_hz: [2, 4, 1], seed: 3 });
  const { film: read, record: run, trouble } = recordedOf(dropped(setting));
  assert.equal(trouble, []);
  assert.is(read.name, 'folder');
  const own = filmOf(setting);
  const byTime = (one: Film) => one.lanes.map((lane) => lane.map((place) =>
    [one.time_s[place], one.event[place], one.clock[place], one.queue[place],
      one.cause[place]! < 0 ? -1 : one.time_s[one.cause[place]!]]));
  assert.equal(byTime(read), byTime(own));
  assert.equal(twinOf(run), setting);
  assert.is(columns(read).machine.length, columns(own).machine.length);
});

files('without run.json say rates by what the machines did', () => {
  const { film: read, record: run } = recordedOf(
    dropped(short({ rates_hz: [2, 4, 1] }), ['machine-0.csv', 'machine-1.csv', 'machine-2.csv']));
  assert.is(run, null);
  assert.equal(read.rates_hz, [2, 4, 1]);
});

files('that are none of a run are refused with one line', () => {
  const bytes = new TextEncoder().encode('{"machines":1}');
  for (const name of ['notes.txt', 'run.json']) {
    assert.throws(() => recordedOf([{ name, bytes }]), (error: unknown) =>
      error instanceof RunError && !error.message.includes('\n'));
  }
});

files.run();

// ── The address ──────────────────────────────────────────────────────────────────────────────

const address = suite('the address');
const anySetting: fc.Arbitrary<Setting> = fc.record({
  seed: fc.maxSafeNat(), internal: fc.double({ min: 0, max: 1, noNaN: true }),
  rates_hz: fc.option(fc.array(fc.double({ min: 0.01, max: 99, noNaN: true }),
    { minLength: 3, maxLength: 9 })),
  take: fc.constantFrom('oldest', 'newest', 'all'), news: fc.boolean(), reorder: fc.boolean(),
  queue_max: fc.option(fc.integer({ min: 1, max: 99 })), drop: fc.constantFrom('oldest', 'newest'),
  ticks: fc.constantFrom('regular', 'jitter:0.3', 'poisson'), loss: fc.constantFrom(0, 0.125),
  latency: fc.constantFrom('constant:0', 'uniform:1,9', 'exponential:5.5'),
  what_if: fc.subarray(['roll of 0 at tick 17 is 0.05', 'lose 23 from 0 to 2',
    'pause 1 at 10 for 5', 'rate of 2 from 20 is 6'].map(parseOverride)),
}).map((more) => ({ ...PLAIN, machines: more.rates_hz?.length ?? 3, ...more }) as Setting);

address('says a setting so that it is read again', () => {
  fc.assert(fc.property(anySetting, (setting) => {
    const { setting: read, trouble } = readAddress(`#${addressOf(setting, { t: 1.5, speed: 2 })}`);
    assert.equal(trouble, []);
    assert.equal(read, setting);
  }));
});

address('says where in the run one is, and how fast', () => {
  const { place } = readAddress(addressOf(PLAIN, { t: 12.3456, speed: 0.5 }));
  assert.equal(place, { t: 12.346, speed: 0.5 });
});

address('names each part that it cannot read, and takes the exercise in its place', () => {
  for (const part of ['rates=0,1', 'rates=4', 'seed=-1', 'internal=2', 'take=middle', 'latency=5',
    'ticks=jitter:0.7', 'nonsense=1', 'what-if=roll+of+9+at+tick+1+is+0.5', 'constructor=1',
    'senders=7', 'fault=pause+0+at+99+for+3', 'duration=0', 'seed=%E0%A4%A']) {
    const { setting, trouble } = readAddress(part);
    assert.is(trouble.length, 1, part);
    assert.not.match(trouble[0]!, '\n');
    assert.equal(setting, PLAIN, part);
  }
});

address('never asks for more ticks than a page can hold', () => {
  const { setting, trouble } = readAddress('rates=1000,1000&duration=100000');
  assert.is(trouble.length, 1);
  assert.ok(setting.duration_s * 2000 <= TICKS_MOST);
});

address('is a command that says the same', () => {
  const setting = short({ rates_hz: [1, 4, 6], seed: 7, news: true,
    what_if: [parseOverride('lose 23 from 0 to 2')] });
  assert.is(commandOf(setting), 'npx tsx simulate.ts --rates 1,4,6 --seed 7 --duration 12 --news '
    + "--what-if 'lose 23 from 0 to 2'");
});

address.run();

// ── What if ──────────────────────────────────────────────────────────────────────────────────

const whatIf = suite('what if');

whatIf('a roll has the machine do what is asked, by the rule itself', () => {
  fc.assert(fc.property(fc.record({
    machines: fc.integer({ min: 2, max: 9 }), id: fc.nat(8), to: fc.nat(8),
    internal: fc.constantFrom(0, 0.1, 0.7, 0.95), both: fc.constantFrom(1 / 3, 0, 0.5),
  }), ({ machines, id, to, internal, both }) => {
    fc.pre(id < machines && to < machines && id !== to);
    const setting = { ...PLAIN, machines, internal, both };
    for (const aim of [to, EVERYONE, NOBODY]) {
      const roll = rollFor(setting, id, aim);
      if (roll === null) {
        assert.ok((aim === NOBODY && internal === 0) || (aim === EVERYONE && both === 0));
      } else {
        assert.is(step(machineOf(configurationOf(setting), id), NO_MESSAGE, roll).to, aim);
      }
    }
  }));
});

whatIf('each event offers what did not happen there, and nothing else', () => {
  const setting = short({ rates_hz: [2, 4, 3], seed: 2 });
  const run = filmOf(setting);
  for (const place of run.order) {
    const choices = choicesAt(run, setting, place);
    const words = choices.map(({ words: one }) => one);
    assert.is(new Set(words).size, words.length);
    if (run.tick[place]! < 0) assert.is(choices.length, 0);
    else if (run.event[place] === 'receive') assert.match(words.join(), 'had been lost');
    else if (run.event[place] === 'internal') assert.is(choices.length, 3);
    else assert.ok(words.includes('it had not sent'));
  }
});

whatIf('a second change of one thing takes the place of the first', () => {
  const [one, two] = ['roll of 0 at tick 7 is 0.1', 'roll of 0 at tick 7 is 0.2']
    .map(parseOverride) as [Override, Override];
  assert.equal(withOverride([one], two), [two]);
  assert.equal(withOverride([two], parseOverride('pause 0 at 3 for 5')).length, 2);
});

whatIf('what begins after an event begins after it, in milliseconds', () => {
  fc.assert(fc.property(fc.double({ min: 0, max: 1e4, noNaN: true }), (time_s) => {
    const at_s = after_s(time_s);
    assert.ok(at_s > time_s && at_s - time_s < 0.0021);
    assert.is(Number(at_s.toFixed(3)), at_s);
  }));
});

whatIf.run();

// ── Words and ensembles ──────────────────────────────────────────────────────────────────────

const words = suite('words');

words('theory’s line is the issue’s own example', () => {
  const [slow] = predictionOf(PLAIN, [1, 4, 6])!;
  assert.is(theoryWords(slow!), 'load 1.67: falls behind 2.4 a second');
});

words('the headline knows overload, the border and health', () => {
  const headlineAt = (rates_hz: number[]) => headline(predictionOf(PLAIN, rates_hz)!);
  assert.match(headlineAt([1, 4, 6]),
    /^Machine 0 hears 1\.67 messages .* falls behind by 2\.4 a second$/);
  assert.match(headlineAt([3, 10]), 'stands on the border');
  assert.match(headlineAt([3, 3, 2]), 'Every machine keeps up');
  assert.match(headlineAt([1, 1, 6]), 'Machines 0 and 1 cannot keep up');
});

words('theory is silent where it has no formula', () => {
  assert.is(predictionOf({ ...PLAIN, take: 'newest' }, [1, 4, 6]), null);
  assert.is(predictionOf({ ...PLAIN, loss: 0.1 }, [1, 4, 6]), null);
});

words('where theory is silent the outcome is told', () => {
  assert.match(outcome(filmOf(short({ rates_hz: [1, 4, 6], latency: 'constant:900' }))),
    /^Machine 0 ends \d+ behind the highest clock, with (no|\d+) messages? waiting$/);
  assert.match(outcome(filmOf(short({ rates_hz: [3, 3], machines: 2 }))), 'All clocks end within');
});

words('an ensemble has the run itself as its first, and ranks it', () => {
  const setting = short({ rates_hz: [1, 4, 6], seed: 5 });
  const drifts = [...driftsOf(setting, 40)];
  const final = momentsAt(filmOf(setting), 12).map(({ clock }) => clock);
  assert.is(drifts[0], Math.max(...final) - Math.min(...final));
  assert.is(drifts.length, 40);
  assert.is(rankOf([1, 2, 3, 4], 3), 0.625);
});

words.run();
