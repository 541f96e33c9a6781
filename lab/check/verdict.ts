/** All rules together: could the rule of the exercise have made these logs? */
import { ABSURD, chance, mix, type Mix } from './chance.ts';
import {
  clocks, died, dueBy, last_us, order, pace, plural, sends, startAndStop, stopped, ticks, timingOf,
  waiting, type Context,
} from './machines.ts';
import {
  arrivals, firstInFirstOut, gather, inboxOf, matched, oldestFirst, type Messages,
} from './messages.ts';
import {
  EVENTS, Findings, INTERNAL, RECEIVE, SEND, type Log, type Rule, type Violation,
} from './read.ts';
import type { Run } from './record.ts';

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
  /** Messages that were lost because it died: on their way or in its queue, and of its own. */
  lost_to: number;
  lost_from: number;
}

/** Messages, a send to several counted for each: sent = received + queued + in_flight + lost. */
export interface MessageSummary {
  sent: number;
  received: number;
  queued: number;
  in_flight: number;
  lost: number;
}

export interface Report {
  consistent: boolean;
  /** Those that are told: of each rule the first 20. */
  violations: Violation[];
  /** Those that there are, by rule. */
  counts: Partial<Record<Rule, number>>;
  /** What is worth knowing and wrong with nobody. */
  notes: string[];
  machines: MachineSummary[];
  messages: MessageSummary;
  statistics: Mix;
}

function summarise(context: Context, log: Log): MachineSummary {
  const { run, start_us, timing } = context;
  const rate_hz = run.rates_hz[log.id]!;
  const counts = EVENTS.map(() => 0);
  let next = 0;
  for (let r = 0; r < log.rows; r++) {
    counts[log.event[r]!]!++;
    if (ticks(log, r)) next = Math.max(next, log.tick[r]! + 1);
  }
  const made = counts[INTERNAL]! + counts[SEND]! + counts[RECEIVE]!;
  // In real time, what was due at the last moment may not have had its turn.
  const turn_us = run.kind === 'virtual' ? 0 : timing.late_us;
  const due = stopped(log) ? dueBy(context, log, last_us(log) - turn_us) : 0;
  const lived_s = Math.min(((last_us(log) - start_us) * run.speed) / 1e6, run.duration_s);
  return {
    machine: log.id, rate_hz, started: log.rows > 0, died: died(log), ticks: made,
    skipped: Math.max(next, due) - made, pace: made / (rate_hz * lived_s),
    receives: counts[RECEIVE]!, sends: counts[SEND]!, internal: counts[INTERNAL]!,
    final_clock: log.clock[log.rows - 1] ?? 0, final_queue: log.queue[log.rows - 1] ?? 0,
    lost_to: 0, lost_from: 0,
  };
}

/** Every message ends in one of four ways; says which, and whose death cost how many. */
function conserve(context: Context, messages: Messages, all: MachineSummary[]): MessageSummary {
  const { logs, timing, found, run } = context;
  const { first, from, time_us, taken } = messages;
  const sum = { sent: taken.length, received: 0, queued: 0, in_flight: 0, lost: 0 };
  let [toSurvivors, lostToSurvivors] = [0, 0];
  for (const log of logs) {
    const [begin, end] = [first[log.id]!, first[log.id + 1]!];
    const on_way_us = last_us(log) - timing.latest_us - timing.error_us;
    let [open, late] = [0, 0];
    for (let m = begin; m < end; m++) {
      if (taken[m]! > 0) continue;
      open++;
      if (time_us[m]! > on_way_us) late++;
    }
    sum.received += end - begin - open;
    const queued = stopped(log) ? Math.min(open, all[log.id]!.final_queue) : 0;
    const in_flight = stopped(log) ? Math.min(open - queued, late) : 0;
    let lost = open - queued - in_flight;
    sum.queued += queued;
    sum.in_flight += in_flight;
    sum.lost += lost;
    if (!stopped(log)) {
      all[log.id]!.lost_to = lost;
      continue;
    }
    toSurvivors += end - begin;
    lostToSurvivors += lost;
    for (let m = begin; m < end && lost > 0; m++) {
      if (taken[m]! > 0 || !died(logs[from[m]!]!)) continue;
      all[from[m]!]!.lost_from++;
      lost--;
    }
  }
  const most = lostToSurvivors + sum.in_flight;
  if (run.loss && chance(lostToSurvivors, most, toSurvivors, run.loss) < ABSURD) {
    found.add('conservation', 'run.json', null,
      `${lostToSurvivors} of ${plural(toSurvivors, 'message')} lost, and loss is ${run.loss}`);
  }
  return sum;
}

function notes(context: Context, all: MachineSummary[]): string[] {
  const { run, logs, start_us, lossless, ordered } = context;
  const lines: string[] = [];
  for (const log of logs) {
    const { skipped, lost_to, lost_from, died, started } = all[log.id]!;
    const who = `machine ${log.id}`;
    const lost = `${plural(lost_to, 'message')} to it and ${lost_from} from it were lost`;
    const at_s = ((last_us(log) - start_us) * run.speed) / 1e6;
    if (log.torn) lines.push(`${log.file}: the last line has no end and was not read`);
    if (died) lines.push(`${who} died: its last row is at ${at_s.toFixed(3)} s; ${lost}`);
    if (!started) lines.push(`${who} never started${log.missing ? ', it has no log' : ''}; ${lost}`);
    if (skipped > 0 && run.kind === 'sockets') {
      lines.push(`${who} was kept from running: ${plural(skipped, 'tick')} skipped`);
    }
  }
  if (!ordered) lines.push('the order of messages was not checked: reorder is true');
  if (!lossless) lines.push('that no message is missing was checked in sum only: some are lost');
  return lines;
}

/** Whether the rule could have made these logs, and what is in them. */
export function checkRun(run: Run, logs: readonly Log[]): Report {
  const malformed = logs.filter((log) => log.malformed.kept.length > 0);
  const found = new Findings();
  const context: Context = {
    run, logs, found, timing: timingOf(run),
    lossless: !run.loss, ordered: !run.reorder, someDied: logs.some(died),
    start_us: run.start_us ?? logs.find(({ rows }) => rows > 0)?.time_us[0] ?? NaN,
  };
  for (const log of logs) {
    for (const rule of [startAndStop, order, clocks, sends, waiting, pace]) rule(context, log);
  }
  const messages = gather(context);
  for (const log of logs) {
    const inbox = inboxOf(context, messages, log);
    matched(context, inbox);
    if (context.ordered) {
      firstInFirstOut(context, inbox);
      oldestFirst(context, inbox);
    }
    arrivals(context, inbox);
  }
  const machines = logs.map((log) => summarise(context, log));
  const sum = conserve(context, messages, machines);
  const statistics = mix(context);
  const remarks = notes(context, machines);
  const report = (findings: { counts: Report['counts']; kept: Violation[] }): Report => ({
    consistent: findings.kept.length === 0, violations: findings.kept, counts: findings.counts,
    notes: remarks, machines, messages: sum, statistics,
  });
  if (malformed.length === 0) return report(found);
  // A line that is none leaves a hole in every other account: whatever they find follows from it.
  remarks.push('nothing but the form of the lines was checked: some cannot be read');
  const schema = malformed.reduce((n, log) => n + log.malformed.counts.schema!, 0);
  const kept = malformed.flatMap((log) => log.malformed.kept);
  return report({ counts: { schema }, kept });
}
