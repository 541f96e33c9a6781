/**
 * The oracle against true logs of every shape, lies of every kind, and machines that break the
 * rule. The runs come from a generator of its own (test/worlds); test/system/check.test.ts plays
 * thousands of them.
 */
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  checkRun, parseLog, parseRun, readRun, Unreadable, type Report, type Rule,
} from '../check.ts';
import { frequency } from '../lab/check/mix.ts';
import { sorted } from '../lab/check/sorted.ts';
import { LIES } from './worlds/lies.ts';
import { copyOf, play, textOf, type Cells, type Played, type World } from './worlds/play.ts';
import { check, named, said, SHAPES, someBase, worldOf } from './worlds/shapes.ts';
import { runs, thoroughly } from './runs.ts';

const HEADER = 'time_us,machine,tick,event,peer,message,queue,clock\n';
const bytes = (text: string) => new TextEncoder().encode(text);
const REAL: World = { kind: 'sockets', rates_hz: [2, 4, 1], duration_s: 40, internal: 0.5 };
const VIRTUAL: World = { rates_hz: [2, 4, 1], duration_s: 40, internal: 0.5 };

// ── True logs ────────────────────────────────────────────────────────────────────────────────

const good = suite('checkRun() passes');
const thorough = thoroughly(good);
for (const [nth, [name, world]] of Object.entries(SHAPES).entries()) {
  const test = nth % 2 === 0 ? good : thorough;
  test(name, () => {
    const report = check(play(world));
    assert.is(said(report), '');
    assert.equal([report.consistent, report.rule, report.pace], [true, 'holds', 'holds']);
    const { sent, received, queued, in_flight, lost } = report.messages;
    assert.is(sent, received + queued + in_flight + lost);
  });
}

good('worlds by chance: knobs, stalls of receivers and senders, deaths, faults', () => {
  for (let seed = 1; seed <= runs(6, 25); seed++) {
    assert.is(said(check(play(worldOf(seed)))), '', `worldOf(${seed})`);
  }
});

good('and counts what each machine did', () => {
  const played = play({ rates_hz: [1, 4, 6] });
  const { machines, messages } = check(played);
  for (const { machine, ticks, receives, sends, internal, skipped, pace, final_clock, final_queue,
    died, rolls, seed_rolls } of machines) {
    const rows = played.rows[machine]!;
    const count = (event: string) => rows.filter((cells) => cells.event === event).length;
    assert.equal([receives, sends, internal], ['receive', 'send', 'internal'].map(count));
    assert.is(ticks, receives + sends + internal);
    assert.equal([rolls, seed_rolls], [sends + internal, sends + internal]);
    assert.equal([skipped, died], [0, false]);
    assert.ok(Math.abs(pace - 1) < 0.01);
    assert.equal([final_queue, final_clock], [rows.at(-1)!.queue, rows.at(-1)!.clock]);
  }
  const received = machines.reduce((sum, { receives }) => sum + receives, 0);
  assert.equal(messages, { ...messages, received, in_flight: 0, lost: 0 });
});

good('skipped ticks, and counts and names them', () => {
  const { machines, notes } = check(play(SHAPES['sockets, two stalls at once']));
  assert.equal(machines.map(({ skipped }) => skipped > 8), [true, true, false]);
  assert.match(notes.join(), 'machine 0 was kept from running');
});

good('a machine that died, and says what was lost with it', () => {
  const { machines, messages, notes } = check(play(SHAPES['sockets, a death']));
  assert.equal(machines.map(({ died }) => died), [false, true, false]);
  assert.is(messages.lost, machines[1]!.lost_to + machines[1]!.lost_from);
  assert.match(notes.join(),
    /machine 1 died: its last row is at (19|20)\.\d+ s; \d+ messages to it/);
});

good('dice of one’s own, and says how many rolls are the seed’s', () => {
  const { notes } = check(play({ ...REAL, duration_s: 200, dice: ['seed', 'own', 'seed'] }));
  assert.match(notes.join(), /machine 1 rolls dice of its own: \d+ of \d+ rolls are as the seed's/);
});

const texts = ({ rows }: Played) => rows.map(textOf);
const checkTexts = (record: Played['record'], logs: string[]): Report =>
  checkRun(parseRun(record, 'run.json'), logs.map((text, id) =>
    parseLog(bytes(text), `machine-${id}.csv`)));

good('a log of nothing but the header, a torn header or no log: it never started', () => {
  const played = play({ ...REAL, internal: 1 });
  const record = { ...played.record, ended: 'machine 2 died (SIGKILL)' };
  for (const text of [HEADER, '', HEADER.slice(0, 9)]) {
    const report = checkTexts(record, [...texts(played).slice(0, 2), text]);
    assert.is(said(report), '');
    assert.equal(report.machines.map(({ started }) => started), [true, true, false]);
    assert.match(report.notes.join(), 'machine 2 never started');
  }
});

good('logs of which none has started', () => {
  const { record } = play(REAL);
  const none = { ...record, start_us: null, ended: null };
  assert.ok(checkTexts(none, [HEADER, HEADER, '']).consistent);
});

good('a torn last line, which it does not read', () => {
  const played = play({ ...REAL, deaths: [{ machine: 1, at_s: 30 }] });
  const logs = texts(played);
  const report = checkTexts(played.record, logs.map((text, id) =>
    (id === 1 ? `${text}17000000001` : text)));
  assert.is(said(report), '');
  assert.match(report.notes.join(), 'machine-1.csv: the last line has no end and was not read');
  assert.equal(report.machines, check(played).machines);
});

good('machines in step, which no seed draws, if it is told not to look at phases', () => {
  const { record, rows } = play({ ...VIRTUAL, internal: 1 });
  const still = rows.map((each) => each.map((cells) => ({ ...cells, time_us: cells.tick === ''
    ? cells.time_us : Math.floor(Number(cells.tick) / [2, 4, 1][cells.machine]! * 1e6) })));
  const run = parseRun({ ...record, phases: [0, 0, 0] }, 'run.json');
  const logs = still.map((each, id) => parseLog(bytes(textOf(each)), `machine-${id}.csv`));
  assert.equal(Object.keys(checkRun(run, logs).counts), ['phases']);
  assert.ok(checkRun(run, logs, { without: ['phases'] }).consistent);
});
good.run();

// ── Lies ─────────────────────────────────────────────────────────────────────────────────────

const lies = suite('checkRun() refuses by name');
for (const [nth, lie] of LIES.entries()) {
  const base = someBase(lie, nth);
  lies(`${lie.name} (${base}: ${lie.rules.join(', ')})`, () => {
    const rules = named(lie, base, 5);
    assert.ok(rules?.some((rule) => lie.rules.includes(rule)), `${rules}`);
  });
}
lies('nothing of what these are told about', () => {
  for (const base of [
    'virtual', 'network', 'sockets', 'stalled', 'faults', 'virtual faults',
  ] as const) {
    assert.equal(named({ name: '', rules: [], on: [base], tell: (played) => played }, base, 5), []);
  }
});
lies.run();

// ── Lines that are none ──────────────────────────────────────────────────────────────────────

const TRUE = play(VIRTUAL);
/** The text of log 1 with a field of its first row of an event in the middle changed. */
function withField(n: number, value: string | ((now: string) => string), event: string): string[] {
  const lines = texts(TRUE)[1]!.split('\n');
  const line = lines.findIndex((text, nth) => (nth > 6 || event === 'stop')
    && text.split(',')[3] === event);
  const fields = lines[line]!.split(',');
  fields[n] = typeof value === 'string' ? value : value(fields[n]!);
  lines[line] = fields.join(',');
  return lines;
}
const [TIME, MACHINE, TICK, EVENT, PEER, MESSAGE, QUEUE, CLOCK] = [0, 1, 2, 3, 4, 5, 6, 7];
const malformed: [string, string[]][] = [
  ['a field too few', withField(EVENT, 'internal,,0', 'internal').map((line) =>
    line.replace('internal,,0,,,', 'internal,,0,'))],
  ['a field too many', withField(CLOCK, '1,2', 'internal')],
  ['a leading zero', withField(CLOCK, (now) => `0${now}`, 'internal')],
  ['a sign', withField(CLOCK, (now) => `+${now}`, 'internal')],
  ['a negative number', withField(CLOCK, '-4', 'internal')],
  ['a fraction', withField(TIME, (now) => `${now}.5`, 'internal')],
  ['a blank', withField(QUEUE, ' 0', 'internal')],
  ['a number beyond all counts', withField(CLOCK, '9007199254740993', 'internal')],
  ['a tick beyond all counts', withField(TICK, '2147483648', 'internal')],
  ['a carriage return', withField(CLOCK, (now) => `${now}\r`, 'internal')],
  ['a word that is no event', withField(EVENT, 'recieve', 'receive')],
  ['an internal event with a peer', withField(PEER, '0', 'internal')],
  ['an internal event with a message', withField(MESSAGE, '3', 'internal')],
  ['a receive without a message', withField(MESSAGE, '', 'receive')],
  ['a receive of two messages from one', withField(MESSAGE, '3 4', 'receive')],
  ['a receive from two of one message', withField(PEER, '0 2', 'receive')],
  ['a send to nobody', withField(PEER, '', 'send')],
  ['a list of peers with two blanks', withField(PEER, '0  2', 'send')],
  ['a send of two messages', withField(MESSAGE, '3 4', 'send')],
  ['a stop with a tick', withField(TICK, '9', 'stop')],
  ['an event without a tick', withField(TICK, '', 'internal')],
  ['a line of another machine', withField(MACHINE, '0', 'internal')],
];
const forms = suite('checkRun() finds a line that is none');
for (const [name, lines] of malformed) {
  forms(name, () => {
    const line = lines.findIndex((text, n) => text !== texts(TRUE)[1]!.split('\n')[n]) + 1;
    const report = checkTexts(TRUE.record,
      texts(TRUE).map((text, id) => (id === 1 ? lines.join('\n') : text)));
    assert.equal(report.counts, { schema: 1 });
    assert.match(report.notes.join(), 'nothing but the form');
    const [{ file, line: where, text }] = report.violations as [Report['violations'][number]];
    assert.equal([file, where], ['machine-1.csv', line]);
    assert.not.match(text, 'cannot be read', 'it says what is wrong');
  });
}
forms('whatever bytes there are, without an exception but that it is no log', () => {
  const flip = fc.tuple(fc.nat(2), fc.nat(), fc.constantFrom(...'0123456789 ,\n-srtip', '\0', 'ÿ'));
  const some = fc.array(flip, { minLength: 1, maxLength: 9 });
  const run = parseRun({ ...TRUE.record, ended: null }, 'run.json');
  fc.assert(fc.property(some, fc.nat(2), (flips, keep) => {
    const buffers = texts(TRUE).map((text) => Buffer.from(text, 'latin1'));
    for (const [id, at, by] of flips) buffers[id]!.write(by, at % buffers[id]!.length, 'latin1');
    buffers[keep] = buffers[keep]!.subarray(0, flips[0]![1] % buffers[keep]!.length);
    try {
      const report = checkRun(run, buffers.map((buffer, id) =>
        parseLog(buffer, `machine-${id}.csv`)));
      assert.is(report.consistent, report.violations.length === 0);
      const { sent, received, queued, in_flight, lost } = report.messages;
      assert.is(sent, received + queued + in_flight + lost);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      assert.match(error.message, /^machine-\d\.csv:1: it is no log/);
    }
  }), { numRuns: runs(10, 60) });
});
forms('and counts every violation, and keeps the first of each rule', () => {
  const { counts, violations } = check({ ...TRUE, rows: TRUE.rows.map((rows) =>
    rows.map((cells) => ({ ...cells, clock: 2 * cells.clock }))) });
  assert.ok(counts.clock! > 100);
  assert.is(violations.filter(({ rule }) => rule === 'clock').length, 20);
});
forms.run();

// ── One field ────────────────────────────────────────────────────────────────────────────────

const field = suite('one field of one row');
/** A field that has a number, and the number changed. */
const mutation = fc.record({ row: fc.nat(), field: fc.constantFrom('time_us', 'tick', 'peer',
  'message', 'queue', 'clock'), by: fc.oneof(fc.constantFrom(-2, -1, 1, 2, 3),
  fc.integer({ min: -50, max: 5000 })) });
function mutated(played: Played, { row, field: name, by }: {
  row: number; field: string; by: number;
}): Played | null {
  const copy = copyOf(played);
  const all = copy.rows.flat();
  const cells = all[row % all.length]! as Cells & Record<string, number>;
  const list = name === 'peer' ? cells.peers : name === 'message' ? cells.messages : null;
  const now = list ? list[0] : cells[name];
  if (typeof now !== 'number' || by === 0 || now + by < 0) return null;
  if (list) list[0] = now + by;
  else cells[name] = now + by;
  return copy;
}
field('changed in a virtual run is refused, whatever it is', () => {
  fc.assert(fc.property(mutation, (change) => {
    const played = mutated(TRUE, change);
    fc.pre(played !== null);
    assert.not.ok(check(played!).consistent, JSON.stringify(change));
  }), { numRuns: runs(20, 120) });
});
field('changed in a real run is refused, but for a time or a queue within what may be', () => {
  const played = play(REAL);
  fc.assert(fc.property(mutation, (change) => {
    fc.pre(change.field !== 'time_us' && change.field !== 'queue');
    const lie = mutated(played, change);
    fc.pre(lie !== null);
    assert.not.ok(check(lie!).consistent, JSON.stringify(change));
  }), { numRuns: runs(20, 120) });
});
field.run();

// ── Machines that break the rule ─────────────────────────────────────────────────────────────

const broken = suite('checkRun() finds a machine that');
const busy: World = { rates_hz: [2, 4, 1], internal: 0.4 };
const NEMESIS: World = { kind: 'sockets', rates_hz: [4, 5, 6], internal: 0.4, faults: [
  { do: 'pause', machine: 0, at_s: 10, for_s: 4 }, { do: 'crash', machine: 1, at_s: 20, for_s: 5 },
  { do: 'cut', link: [0, 2], at_s: 35, for_s: 6 }] };
const breaks: [name: string, rules: Rule[], world: World][] = [
  ['sends before it raises the clock', ['message'], { bugs: { wire: (clock) => clock - 1 } }],
  ['takes the highest without adding one', ['receive'], { bugs: { step: (right, before, message) =>
    (right.event === 'receive' ? { ...right, clock: Math.max(before, message) } : right) } }],
  ['adds one to a message that is behind', ['receive'], { bugs: { step: (right, _, message) =>
    (right.event === 'receive' ? { ...right, clock: message + 1 } : right) } }],
  ['raises the clock twice at a receive', ['receive'], { bugs: { step: (right) =>
    (right.event === 'receive' ? { ...right, clock: right.clock + 1 } : right) } }],
  ['raises the clock by nothing at an internal event', ['clock'], { bugs: { step: (right) =>
    (right.event === 'internal' ? { ...right, clock: right.clock - 1 } : right) } }],
  ['sends to all only', ['roll'], { bugs: { step: (right) =>
    (right.event === 'send' ? { ...right, to: -2 } : right) } }],
  ['leaves a receiver out of a send to all', ['fifo', 'network', 'queue'],
    { bugs: { leftOut: 0 } }],
];
for (const [name, rules, world] of breaks) {
  for (const kind of ['virtual', 'sockets'] as const) {
    broken(`${name}: ${kind}`, () => {
      const { counts } = check(play({ ...busy, ...world, kind }));
      assert.ok(rules.some((rule) => counts[rule]! > 0), JSON.stringify(counts));
    });
  }
}
const planted: [name: string, rules: Rule[], world: World][] = [
  ['takes the newest message first', ['fifo', 'oldest first'], { ...busy, kind: 'sockets',
    bugs: { newestFirst: true } }],
  ['rolls loaded dice of its own', ['mix'], { ...REAL, duration_s: 300, dice: ['own', 'own', 'own'],
    bugs: { step: (right) => (right.event === 'send' ? { ...right, to: -2 } : right) } }],
  ['makes up for the ticks of a stall', ['pace'], { ...SHAPES['sockets, two stalls at once'],
    bugs: { burst: true } }],
  ['restarts with its clock back by one', ['restart'], { ...NEMESIS, bugs: { clockBack: 1 } }],
  ['takes a message twice after a restart', ['once'], { ...NEMESIS, bugs: { takenTwice: true } }],
  ['makes a tick twice after a restart', ['tick'], { ...NEMESIS, bugs: { tickTwice: true } }],
  ['receives after a restart what was lost', ['crash'],
    { ...NEMESIS, bugs: { nothingLost: true } }],
  ['goes on receiving while it is cut', ['cut'], { ...NEMESIS, bugs: { nothingLost: true } }],
  ['makes up for a pause in a burst', ['pace'], { ...NEMESIS, bugs: { burst: true } }],
  ['goes on while it is paused', ['pause'], { ...NEMESIS, bugs: { restless: true } }],
  ['is cut in one direction alone', ['cut'], { ...NEMESIS, bugs: { oneWay: true } }],
];
for (const [name, rules, world] of planted) {
  broken(name, () => {
    assert.is(said(check(play({ ...world, bugs: {} }))), '');
    const { counts } = check(play(world));
    assert.ok(rules.some((rule) => counts[rule]! > 0), JSON.stringify(counts));
  });
}
broken('loses a message that no fault excuses: by crash and by cut, each without the fault', () => {
  for (const what of ['crash', 'cut']) {
    const { record, rows } = play(NEMESIS);
    const faults = (record.faults as { do: string }[]).filter((fault) => fault.do !== what);
    const { rule, counts } = check({ record: { ...record, faults }, rows });
    assert.is(rule, 'violated', what);
    assert.ok(['fifo', 'queue', 'conservation', 'restart', 'waiting'].some((name) =>
      counts[name as Rule]! > 0), JSON.stringify(counts));
  }
});
broken.run();

// ── The two verdicts ─────────────────────────────────────────────────────────────────────────

const verdict = suite('the verdict');
verdict('is of the rule or of the pace: what is late alone is no lie', () => {
  const late = play({ ...REAL, internal: 1 });
  const cells = late.rows[0]!.at(-2)!;
  cells.time_us += 1_500_000;
  late.rows[0]!.at(-1)!.time_us += 1_500_000;
  const report = check(late);
  assert.equal([report.consistent, report.rule, report.pace], [false, 'holds', 'violated']);
  assert.match(report.sentence, 'could have made these logs, but not in their time');
});
verdict('names both where both are broken', () => {
  const { record, rows } = play(REAL);
  rows[0]![9]!.clock += 7;
  rows[0]!.at(-2)!.time_us += 1_500_000;
  rows[0]!.at(-1)!.time_us += 1_500_000;
  const report = check({ record, rows });
  assert.equal([report.rule, report.pace], ['violated', 'violated']);
  assert.match(report.sentence, 'could not have made');
});
verdict('says a chance in words that frighten nobody', () => {
  assert.is(frequency(0.77), 'within what chance does: 77 runs of 100 go as far');
  assert.is(frequency(0.016), 'within what chance does: one run in 60 goes as far');
  assert.is(frequency(1e-5), 'far off: one run in 100,000 goes as far');
  assert.is(frequency(1), 'what chance does most often');
});
verdict.run();

const look = suite('a receive may be dated');
look('before its send by the time that a look at the sockets takes, and no earlier', () => {
  // A machine reads the clock and then looks, so that what is sent meanwhile is taken as well; a
  // look of more than 5 ms is made again, and clocks differ by one.
  for (const [early_us, rule] of [[5900, 'holds'], [6100, 'violated']] as const) {
    const played = play({ kind: 'sockets', rates_hz: [1, 1], internal: 0.4, duration_s: 40 });
    const [c, sent] = played.rows[1]!.flatMap((cells) => {
      const row = cells.event !== 'receive' ? undefined
        : played.rows[0]!.find(({ event, messages }) =>
          event === 'send' && messages[0] === cells.messages[0]);
      return row && cells.time_us - row.time_us < 990_000 ? [cells, row] : [];
    }) as [Cells, Cells];
    sent.time_us = c.time_us + early_us;
    const report = check(played);
    assert.is(report.counts.matched ?? 0, rule === 'holds' ? 0 : 1, said(report));
  }
});
look.run();

// ── Parts ────────────────────────────────────────────────────────────────────────────────────

const parts = suite('sorted()');
parts('sorts as a stable sort does', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 9 })), (keys) => {
    const expected = keys.map((_, n) => n).sort((a, b) => keys[a]! - keys[b]!);
    assert.equal([...sorted(keys.length, (a, b) => keys[a]! < keys[b]!)], expected);
  }));
});
parts.run();

const reading = suite('readRun()');
const folder = mkdtempSync(join(tmpdir(), 'check-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
function write(name: string, { record, rows }: Played, logs = rows.map(textOf)): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'run.json'), JSON.stringify(record));
  logs.forEach((text, id) => writeFileSync(join(path, `machine-${id}.csv`), text));
  return path;
}
const refused = (path: string, what: RegExp) => assert.throws(() => readRun(path), (error: Error) =>
  error instanceof Unreadable && what.test(error.message) && !error.message.includes('\n'));

reading('refuses a folder that is no run, with one line that names the file', () => {
  const cut = write('cut', TRUE);
  writeFileSync(join(cut, 'run.json'), '{\n  "seed": 1,\n  "machines" 3\n}\n');
  refused(join(folder, 'nowhere'), /^.*nowhere\/run.json: there is no such file$/);
  refused(write('empty', TRUE, []), /^.*empty: there is no machine-<id>.csv$/);
  refused(write('stray', TRUE, [...texts(TRUE), HEADER]),
    /^.*stray\/machine-3.csv: run.json has 3 machines$/);
  refused(write('senseless', { ...TRUE, record: { ...TRUE.record, machines: 4 } }),
    /^.*senseless\/run.json: rates_hz is not 4 numbers above 0$/);
  refused(cut, /^.*cut\/run.json:3: [^\n]*$/);
});
reading('refuses what is no log: other CSV, bytes, a folder', () => {
  const [first, , third] = texts(TRUE) as [string, string, string];
  refused(write('csv', TRUE, [first, 'a,b\n1,2\n', third]), /machine-1.csv:1: it is no log/);
  refused(write('binary', TRUE, [first, '\0\x01\x02\n\xff\0', third]),
    /machine-1.csv:1: it is no log/);
  const path = write('folder', TRUE, [first]);
  mkdirSync(join(path, 'machine-1.csv'));
  refused(path, /machine-1.csv: it is a folder$/);
});
reading('refuses files of more bytes than it can hold, without reading them', () => {
  const large = write('large', TRUE);
  truncateSync(join(large, 'machine-1.csv'), 2 ** 31 + 5);
  refused(large, /machine-1.csv: 2147483653 bytes are more than the 2147483647 that are read$/);
  truncateSync(join(large, 'run.json'), 600e6);
  refused(large, /run.json: 600000000 bytes are more than/);
});
reading('takes a log that is not there as one of a machine that never started', () => {
  const played = play({ ...REAL, internal: 1 });
  const path = write('two', { ...played, record: { ...played.record, ended: null } },
    texts(played).slice(0, 2));
  const { run, logs } = readRun(path);
  assert.equal(logs.map(({ rows, missing }) => [rows > 0, missing]),
    [[true, false], [true, false], [false, true]]);
  assert.ok(checkRun(run, logs).consistent);
});
reading.run();
