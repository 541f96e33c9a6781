/**
 * What can be decided of an imported run from its rows alone, with their own file and line. Nothing
 * that the import inferred is believed: only rows, and which of them bear a reconstructed peer.
 */
import { Unreadable } from './record.ts';

export type Verdict = 'holds' | 'violated' | 'cannot be decided';

export interface Place {
  /** Theirs, relative to what was imported; and the line from 1. */
  file: string;
  line: number;
  text: string;
}

/** One rule, and what the rows say of it. */
export interface ForeignFinding {
  rule: string;
  verdict: Verdict;
  /** Rows that it was held against, and those that break it. */
  rows: number;
  broken: number;
  /** What is so, in plain words. */
  text: string;
  /** Of a violated one: why it matters, and how to mend it. */
  why: string;
  mend: string;
  places: Place[];
}

export interface ForeignReport {
  consistent: boolean;
  variant: Variant;
  machines: { machine: number; name: string; rows: number; receives: number; sends: number;
    internal: number; clock: number; rate_hz: number | null; pace_hz: number | null }[];
  findings: ForeignFinding[];
}

/** The clock of a receive, from the clock before it and that of its send's row. */
export const VARIANTS = {
  lamport: (before: number, sent: number) => Math.max(before, sent) + 1,
  'send-old': (before: number, sent: number) => Math.max(before, sent - 1) + 1,
  max: (before: number, sent: number) => Math.max(before, sent),
  double: (before: number, sent: number) => Math.max(before, sent) + 2,
} as const;
export type Variant = keyof typeof VARIANTS;

const PLACES_SHOWN = 3;
const PACE_NEAR = [0.6, 1.35] as const;

interface Row {
  time_us: number;
  event: string;
  peers: number[];
  message: number | null;
  queue: number | null;
  clock: number;
  file: string;
  line: number;
}

/** What the files of a machine hold: its log, and from where its rows come. */
export interface ForeignFiles {
  log: string;
  source: string;
}

/** @throws Unreadable with file and line */
function rowsOf(id: number, { log, source }: ForeignFiles): Row[] {
  const origins = source.split('\n').slice(1);
  return log.trimEnd().split('\n').slice(1).map((line, n) => {
    const fields = line.split(',');
    const number = (at: number) => (fields[at] === '' ? null : Number(fields[at]));
    const [time_us, clock] = [number(0), number(7)];
    if (fields.length !== 8 || !['internal', 'send', 'receive'].includes(fields[3]!)
      || !Number.isSafeInteger(clock) || !Number.isSafeInteger(time_us)) {
      throw new Unreadable(`machine-${id}.csv:${n + 2}: it is no row of an imported run`);
    }
    const origin = /^(?:"((?:[^"]|"")*)"|([^,]*)),(\d+),/.exec(origins[n] ?? '');
    return { time_us: time_us!, event: fields[3]!, clock: clock!, queue: number(6),
      peers: fields[4] === '' ? [] : fields[4]!.split(' ').map(Number), message: number(5),
      file: origin ? (origin[1]?.replaceAll('""', '"') ?? origin[2]!) : `machine-${id}.csv`,
      line: origin ? Number(origin[3]) : n + 2 };
  });
}

/** Gathers what breaks one rule. */
class Tally {
  rows = 0;
  broken = 0;
  readonly places: Place[] = [];

  hold(holds: boolean, { file, line }: Row, text: () => string): void {
    this.rows++;
    if (holds) return;
    this.broken++;
    if (this.places.length < PLACES_SHOWN) this.places.push({ file, line, text: text() });
  }

  finding(
    rule: string, good: string, bad: string, why: string, mend: string, undecided: string,
  ): ForeignFinding {
    const { rows, broken, places } = this;
    const verdict = rows === 0 ? 'cannot be decided' : broken > 0 ? 'violated' : 'holds';
    const isBad = verdict === 'violated';
    return { rule, verdict, rows, broken, places, why: isBad ? why : '', mend: isBad ? mend : '',
      text: rows === 0 ? undecided : isBad ? bad : good };
  }
}

/** What of run.json is used here. @throws Unreadable */
function facts(value: unknown) {
  const run = value as { machines: number; rates_hz: (number | null)[]; foreign?: {
    names?: string[]; logged?: { vector?: boolean; resolution_us?: number | null };
    rates?: { from: string | null }[] } };
  if (!Number.isSafeInteger(run.machines) || run.machines < 1 || run.machines > 1000
    || !Array.isArray(run.rates_hz) || run.rates_hz.length !== run.machines) {
    throw new Unreadable('run.json: it is no record of an imported run');
  }
  const { names = [], logged = {}, rates = [] } = run.foreign ?? {};
  return { machines: run.machines, rates_hz: run.rates_hz, names, vector: logged.vector === true,
    timed: typeof logged.resolution_us === 'number', rates };
}

/**
 * Holds an imported run against a rule.
 * @param value of its run.json
 * @param files of each machine, by id
 * @throws Unreadable with one line
 */
export function checkForeign(
  value: unknown, files: readonly ForeignFiles[], variant: Variant = 'lamport',
): ForeignReport {
  const { rates_hz, names, vector, timed, rates } = facts(value);
  const logs = files.map((file, id) => rowsOf(id, file));
  const findings = [ownFinding(logs), fallFinding(logs)];
  if (variant === 'lamport') findings.push(advanceFinding(logs), conditionFinding(logs));
  findings.push(maxFinding(logs, variant, vector), ...orderFindings(logs), idleFinding(logs),
    boundFinding(logs));
  const machines = logs.map((rows, machine) => {
    const span_s = ((rows.at(-1)?.time_us ?? 0) - (rows[0]?.time_us ?? 0)) / 1e6;
    const count = (event: string) => rows.filter((row) => row.event === event).length;
    return { machine, name: names[machine] ?? String(machine), rows: rows.length,
      receives: count('receive'), sends: count('send'), internal: count('internal'),
      clock: rows.at(-1)?.clock ?? 0, rate_hz: rates_hz[machine] ?? null,
      pace_hz: timed && span_s > 0 ? (rows.length - 1) / span_s : null };
  });
  findings.push(paceFinding(logs, machines, rates));
  const consistent = findings.every(({ verdict }) => verdict !== 'violated');
  return { consistent, variant, machines, findings };
}

/** Calls a function with each row and the one before it. */
function each(logs: readonly Row[][], use: (row: Row, before: Row, id: number) => void): void {
  for (const [id, rows] of logs.entries()) {
    for (let n = 1; n < rows.length; n++) use(rows[n]!, rows[n - 1]!, id);
  }
}

function ownFinding(logs: readonly Row[][]): ForeignFinding {
  const tally = new Tally();
  let still = 0;
  each(logs, (row, before) => {
    if (row.event === 'receive') return;
    if (row.clock === before.clock) still++;
    tally.hold(row.clock === before.clock + 1, row, () =>
      `${row.event}, clock ${row.clock} after ${before.clock}`);
  });
  const isStill = still > tally.broken / 2;
  return tally.finding('own events add one', 'Each internal event and each send adds one.',
    isStill ? 'Internal events or sends leave the clock as it was: one tick wrote two rows, or the '
      + 'increment is missing.'
      : 'The clock moves by another step than one at internal events or sends.',
    'The clock counts events: two of them with one value cannot be put in order, and a step that '
      + 'no event explains puts the others behind.',
    isStill ? 'Increment once in each branch of the tick, and return after a send instead of '
      + 'falling through to the internal event.'
      : 'Increment once a tick, in one place; take a message only '
      + 'in a tick that receives, not in the thread that reads the socket.',
    'There are no internal events or sends that follow another row.');
}

function fallFinding(logs: readonly Row[][]): ForeignFinding {
  const tally = new Tally();
  each(logs, (row, before) => tally.hold(row.clock >= before.clock, row, () =>
    `${row.event}, clock ${row.clock} after ${before.clock}`));
  return tally.finding('a clock never falls', 'No clock falls.', 'Clocks fall.',
    'What a machine did later has a smaller clock than what it did before.',
    'At a receive take the larger of your own clock and the message\'s, and then add one.',
    'There are too few rows.');
}

function advanceFinding(logs: readonly Row[][]): ForeignFinding {
  const tally = new Tally();
  each(logs, (row, before) => {
    if (row.event !== 'receive') return;
    tally.hold(row.clock > before.clock, row, () =>
      `receive, clock ${row.clock} after ${before.clock}`);
  });
  return tally.finding('a receive advances the clock', 'Each receive is above the event before it.',
    'Receives leave the clock as it was.', 'A receive is an event: it and the one before it have '
      + 'the same clock, though one happened before the other.',
    'clock = max(clock, message) + 1: add one also where the message is old.',
    'No receive follows another row.');
}

function conditionFinding(logs: readonly Row[][]): ForeignFinding {
  const tally = new Tally();
  for (const rows of logs) {
    for (const row of rows) {
      if (row.event !== 'receive' || row.message === null) continue;
      tally.hold(row.clock > row.message, row, () =>
        `receive from ${row.peers[0]}, clock ${row.clock}; its send has clock ${row.message}`);
    }
  }
  return tally.finding('a receive is above its send (the clock condition)',
    'Each receive whose send is known has a larger clock than its send.',
    'Your receives bear the same clock as their sends: an event happened before another and has no '
      + 'smaller clock.', 'If a happened before b, then C(a) < C(b): without that the clocks order '
      + 'nothing, and nothing that is built on them (locks, logs, snapshots) is right.',
    'Increment before you send, and send the new clock; or add one at the receive.',
    'No row names its message, and no jump can have come from one send only.');
}

function maxFinding(logs: readonly Row[][], variant: Variant, vector: boolean): ForeignFinding {
  const tally = new Tally();
  let above = 0;
  if (!vector) {
    each(logs, (row, before) => {
      if (row.event !== 'receive' || row.message === null) return;
      const want = VARIANTS[variant](before.clock, row.message);
      if (row.clock > want) above++;
      tally.hold(row.clock === want, row, () => `receive, clock ${row.clock}: `
        + `before it ${before.clock}, its send ${row.message}, so ${want}`);
    });
  }
  const isAbove = above > tally.broken / 2;
  return tally.finding(`a receive is by the rule (${variant})`,
    'Each receive whose send is known has the clock that the rule gives.',
    `Receives have a ${isAbove ? 'larger' : 'smaller'} clock than the rule gives.`,
    isAbove ? 'Events are counted that did not happen.' : 'See the clock condition.',
    isAbove ? 'Add one at a receive, once.' : 'clock = max(clock, message) + 1, and send the clock '
      + 'after its increment.',
    vector ? 'The clocks are vectors: their sum has no such rule.'
      : 'No receive\'s send is known.');
}

function orderFindings(logs: readonly Row[][]): ForeignFinding[] {
  const [fifo, once] = [new Tally(), new Tally()];
  for (const rows of logs) {
    const last = new Map<number, number>();
    const seen = new Set<string>();
    for (const row of rows) {
      if (row.event !== 'receive' || row.message === null) continue;
      const from = row.peers[0]!;
      const name = `${from} ${row.message}`;
      once.hold(!seen.has(name), row, () => `the message ${row.message} of ${from}, once more`);
      if (!seen.has(name)) {
        fifo.hold(row.message > (last.get(from) ?? -1), row, () =>
          `the message ${row.message} of ${from} after its message ${last.get(from)}`);
      }
      seen.add(name);
      last.set(from, row.message);
    }
  }
  return [
    fifo.finding('messages of one sender are taken in order', 'They are.', 'They are not.',
      'A queue is first in, first out; the newest first leaves old messages for ever.',
      'Take from the end of the queue to which you do not append (pop(0), popleft).',
      'No receive\'s send is known.'),
    once.finding('a message is taken once', 'It is.', 'Messages are taken again.',
      'A receive without a send is no event of this model.', 'Remove what you take from the queue.',
      'No receive\'s send is known.'),
  ];
}

function idleFinding(logs: readonly Row[][]): ForeignFinding {
  const tally = new Tally();
  each(logs, (row, before) => {
    if (before.event !== 'receive' || !before.queue) return;
    tally.hold(row.event === 'receive', row, () => `${row.event}, while ${before.queue} wait`);
  });
  return tally.finding('no tick idles while a message waits', 'After a receive that leaves a queue '
    + 'the next event is a receive.', 'Machines roll the die while messages wait.',
  'The exercise takes a message whenever there is one; so the queue grows longer than it must.',
  'Look into the queue first, and roll only if it is empty.',
  'No row has a queue, or none leaves one.');
}

function boundFinding(logs: readonly Row[][]): ForeignFinding {
  const tally = new Tally();
  const all = logs.reduce((sum, rows) => sum + rows.length, 0);
  for (const rows of logs) {
    const row = rows.at(-1);
    if (!row) continue;
    tally.hold(row.clock <= all, row, () =>
      `clock ${row.clock}; all machines have ${all} events`);
  }
  return tally.finding('no clock is above the number of all events', 'None is.', 'Clocks are.',
    'A Lamport clock is the length of a chain of events; there are not so many.',
    'Add one at each event, once.', 'There are no rows.');
}

function paceFinding(
  logs: readonly Row[][], machines: ForeignReport['machines'],
  rates: readonly { from: string | null }[],
): ForeignFinding {
  const tally = new Tally();
  for (const { machine, name, rate_hz, pace_hz } of machines) {
    const row = logs[machine]!.at(-1);
    const from = rates[machine]?.from ?? null;
    if (!row || rate_hz === null || pace_hz === null || from === 'pace' || from === null) continue;
    const share = pace_hz / rate_hz;
    tally.hold(share > PACE_NEAR[0] && share < PACE_NEAR[1], row, () =>
      `machine ${name} makes ${pace_hz.toFixed(2)} of ${rate_hz} events a second`);
  }
  return tally.finding('the pace is the rate', 'Each machine makes about as many events a second '
    + 'as its rate says.', 'Machines do not keep their rate.',
  'Load and drift follow from the rates.',
  'Sleep to the time when the next tick is due, not for a period behind each tick.',
  'No text says the rates, or there are no times.');
}
