/** All rules together: could the rule of the exercise have made these logs, and in their time? */
import { contextOf, died, last_us, plural, stopped, type Context } from './context.ts';
import { excusesOf } from './excuses.ts';
import { absences, faultNotes, schedule } from './faults.ts';
import { Findings, type Rule, type Violation } from './findings.ts';
import { waits } from './inbox.ts';
import { clocks, draws, order, peers, rolls, waiting } from './machines.ts';
import {
  firstInFirstOut, gather, inboxOf, left_us, nothingFromBeyond, type Inbox,
} from './messages.ts';
import { mix, type Mix } from './mix.ts';
import { dueBy, nextTick, realPace, startAndStop, virtualPace } from './pace.ts';
import { EVENTS, INTERNAL, RECEIVE, SEND, type Log } from './read.ts';
import type { Run } from './record.ts';
import { replay } from './replay.ts';

export interface MachineSummary {
  machine: number;
  rate_hz: number;
  started: boolean;
  /** It has started and has no stop. */
  died: boolean;
  ticks: number;
  /** Ticks whose time had come while it lived, and that it did not make. */
  skipped: number;
  /** Ticks made / (rate × model seconds that it lived). */
  pace: number;
  receives: number;
  sends: number;
  internal: number;
  final_clock: number;
  final_queue: number;
  /** Rolls that its rows show, and how many of them are the seed's. */
  rolls: number;
  seed_rolls: number;
  /** Messages to it, and from it to those that lived on, of which nothing is left. */
  lost_to: number;
  lost_from: number;
}

/** Messages, a send to several counted for each: sent = received + queued + in_flight + lost. */
export interface MessageSummary {
  sent: number;
  received: number;
  queued: number;
  in_flight: number;
  /** By death, faults or the network, or because they were dropped or no news. */
  lost: number;
}

export interface Report {
  /** Both verdicts: the rule and the pace hold. */
  consistent: boolean;
  /** Whether the rule of the exercise could have made these logs. */
  rule: 'holds' | 'violated';
  /** Whether each tick came when it was due. */
  pace: 'holds' | 'violated';
  /** The two in one sentence. */
  sentence: string;
  /** Those that are shown: of each rule the first 20. */
  violations: Violation[];
  /** Those that there are, by rule. */
  counts: Partial<Record<Rule, number>>;
  /** What is worth knowing and wrong with nobody. */
  notes: string[];
  machines: MachineSummary[];
  messages: MessageSummary;
  statistics: Mix;
}

export interface CheckOptions {
  /** Rules that are not judged: a test may put machines in step, which no seed does. */
  without?: readonly Rule[];
}

function summarise(context: Context, log: Log): MachineSummary {
  const { run, start_us, second_us } = context;
  const rate_hz = run.rates_hz[log.id]!;
  const counts = EVENTS.map(() => 0);
  for (let r = 0; r < log.rows; r++) counts[log.event[r]!]!++;
  const made = counts[INTERNAL]! + counts[SEND]! + counts[RECEIVE]!;
  const next = nextTick(log);
  // In real time, what was due at the last moment may not have had its turn.
  const turn_us = run.kind === 'virtual' ? 0 : 50_000;
  const due = stopped(log) ? dueBy(context, log, next, last_us(log) - turn_us) : next;
  const lived_s = Math.min((last_us(log) - start_us) / second_us, run.duration_s);
  return {
    machine: log.id, rate_hz, started: log.rows > 0, died: died(log), ticks: made,
    skipped: due - made, pace: made / (rate_hz * lived_s),
    receives: counts[RECEIVE]!, sends: counts[SEND]!, internal: counts[INTERNAL]!,
    final_clock: log.clock[log.rows - 1] ?? 0, final_queue: log.queue[log.rows - 1] ?? 0,
    rolls: 0, seed_rolls: 0, lost_to: 0, lost_from: 0,
  };
}

/** Every message ends in one of four ways; adds up which, and whose death cost how many. */
function account(
  context: Context, { log, messages, begin, end }: Inbox, all: MachineSummary[],
  sum: MessageSummary,
): void {
  let [open, late] = [0, 0];
  for (let m = begin; m < end; m++) {
    if (messages.taken[m]! > 0) continue;
    open++;
    if (left_us(context, messages, m) > last_us(log)) late++;
  }
  const queued = stopped(log) ? Math.min(open, log.queue[log.rows - 1]!) : 0;
  const in_flight = stopped(log) ? Math.min(open - queued, late) : 0;
  let lost = open - queued - in_flight;
  sum.sent += end - begin;
  sum.received += end - begin - open;
  sum.queued += queued;
  sum.in_flight += in_flight;
  sum.lost += lost;
  if (!stopped(log)) {
    all[log.id]!.lost_to = lost;
    return;
  }
  for (let m = begin; m < end && lost > 0; m++) {
    if (messages.taken[m]! > 0 || !died(context.logs[messages.from[m]!]!)) continue;
    all[messages.from[m]!]!.lost_from++;
    lost--;
  }
}

/** What arrives in virtual time, where what is under way at the end is known. */
function inFlight(sum: MessageSummary, underWay: number): void {
  const more = Math.min(underWay - sum.in_flight, sum.lost);
  sum.in_flight += more;
  sum.lost -= more;
}

function notesOf(context: Context, all: MachineSummary[]): string[] {
  const { run, logs, start_us, second_us } = context;
  const notes = faultNotes(context);
  for (const log of logs) {
    const { skipped, lost_to, lost_from, died: gone, started, rolls: count, seed_rolls } =
      all[log.id]!;
    const who = `machine ${log.id}`;
    const lost = `${plural(lost_to, 'message')} to it and ${lost_from} from it were lost`;
    const at_s = (last_us(log) - start_us) / second_us;
    if (log.torn) notes.push(`${log.file}: the last line has no end and was not read`);
    if (gone) notes.push(`${who} died: its last row is at ${at_s.toFixed(3)} s; ${lost}`);
    if (!started) {
      notes.push(`${who} never started${log.missing ? ', it has no log' : ''}; ${lost}`);
    }
    if (skipped > 0 && run.kind === 'sockets') {
      notes.push(`${who} was kept from running: ${plural(skipped, 'tick')} skipped`);
    }
    if (run.dice[log.id] === 'own' && count > 0) {
      notes.push(`${who} rolls dice of its own: ${seed_rolls} of ${count} rolls are as the seed's`);
    }
  }
  return notes;
}

const SENTENCES = {
  both: 'the rule could not have made these logs, and ticks did not come when they were due',
  rule: 'the rule could not have made these logs',
  pace: 'the rule could have made these logs, but not in their time: not all came when it was due',
  none: 'the rule could have made these logs',
};

function reportOf(findings: Pick<Findings, 'kept' | 'counts'>, rest: Pick<Report, 'notes'
  | 'machines' | 'messages' | 'statistics'>): Report {
  const broken = Object.keys(findings.counts) as Rule[];
  const rule = broken.every((name) => name === 'pace') ? 'holds' : 'violated';
  const pace = broken.includes('pace') ? 'violated' : 'holds';
  const sentence = SENTENCES[rule === 'holds' ? (pace === 'holds' ? 'none' : 'pace')
    : pace === 'holds' ? 'rule' : 'both'];
  return { consistent: broken.length === 0, rule, pace, sentence,
    violations: findings.kept, counts: findings.counts, ...rest };
}

/** Whether the rule could have made these logs in their time, and what is in them. */
export function checkRun(run: Run, logs: readonly Log[], options: CheckOptions = {}): Report {
  const malformed = logs.filter((log) => log.malformed.kept.length > 0);
  const found = new Findings(options.without);
  const context = contextOf(run, logs, found);
  const machines = logs.map((log) => summarise(context, log));
  draws(context);
  schedule(context);
  const at_s: Float64Array[] = [];
  for (const log of logs) {
    for (const rule of [startAndStop, order, clocks, peers, waiting, absences]) rule(context, log);
    const { rolls: count, seeds } = rolls(context, log);
    Object.assign(machines[log.id]!, { rolls: count, seed_rolls: seeds });
    if (run.kind === 'virtual') at_s.push(virtualPace(context, log));
    else realPace(context, log);
  }
  const sum = { sent: 0, received: 0, queued: 0, in_flight: 0, lost: 0 };
  const messages = gather(logs);
  const place = new Int32Array(logs.length).fill(-1);
  let underWay = 0;
  for (const log of logs) {
    const inbox = inboxOf(context, messages, log, place);
    if (run.kind === 'virtual') underWay += replay(context, inbox, at_s);
    else {
      const excused = excusesOf(context, inbox);
      nothingFromBeyond(context, inbox);
      if (run.take !== 'newest') firstInFirstOut(context, inbox, excused);
      waits(context, inbox, excused);
    }
    account(context, inbox, machines, sum);
  }
  if (run.kind === 'virtual') inFlight(sum, underWay);
  const rest = { notes: notesOf(context, machines), machines, messages: sum,
    statistics: mix(context) };
  if (malformed.length === 0) return reportOf(found, rest);
  // A line that is none leaves a hole in every other account: whatever they find follows from it.
  rest.notes.push('nothing but the form of the lines was checked: some cannot be read');
  const schema = malformed.reduce((n, log) => n + log.malformed.counts.schema!, 0);
  const kept = malformed.flatMap((log) => log.malformed.kept);
  return reportOf({ counts: { schema }, kept }, rest);
}
