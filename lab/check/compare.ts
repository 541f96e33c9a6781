/** Two runs of one configuration side by side, tick by tick, and the races that part them. */
import { dueOf } from './chance.ts';
import { countBelow, has, ms, ticks } from './context.ts';
import { EVENTS, NONE, RECEIVE, SEND, type Log, type Recording } from './read.ts';
import { machinesOf, Unreadable, type Fault } from './record.ts';

/** So many ticks of a machine that differ between two runs are listed. */
const LISTED = 3;
/** A real pause begins and ends some time after it was to. */
const PAUSE_SLACK_S = 0.1;
/** The word for a difference that nothing explains: no race, no skipped tick, no fault. */
export const UNEXPLAINED = 'nothing in the logs says why';

export interface Difference {
  machine: number;
  tick: number;
  /** When the tick is due, in model seconds. */
  due_s: number;
  /** What the one run did on it, and the other. */
  one: string;
  other: string;
  why: string;
}

export interface Comparison {
  /** Ticks that both runs have, and how many of them are the same in all but time. */
  ticks: number;
  agree: number;
  share: number;
  /** Ticks that only one of them has, up to the end of the shorter. */
  only_one: number;
  only_other: number;
  machines: { machine: number; ticks: number; agree: number; share: number }[];
  /** The first ticks of each machine that differ, by the time when they are due. */
  differences: Difference[];
}

/** Lays one run beside another of the same configuration. @throws Unreadable if it is not */
export function compare(one: Recording, other: Recording): Comparison {
  for (const name of ['seed', 'machines', 'rates_hz', 'phases', 'internal'] as const) {
    const [a, b] = [one, other].map(({ run }) => JSON.stringify(run[name]));
    if (a !== b) {
      throw new Unreadable(`${other.folder}: ${name} is ${b}, and in ${one.folder} it is ${a}`);
    }
  }
  for (const { folder, logs } of [one, other]) {
    const log = logs.find(({ malformed }) => malformed.kept.length > 0);
    if (log) throw new Unreadable(`${folder}/${log.file}: it has lines that cannot be read`);
  }
  const differences: Difference[] = [];
  const total = { ticks: 0, agree: 0, only_one: 0, only_other: 0 };
  const machines = one.logs.map((log, id) => {
    const sum = { ticks: 0, agree: 0 };
    let [listed, same] = [0, true];
    let lacked: Missing = null;
    eachTick(log, other.logs[id]!, (a, b, missing) => {
      const before = same;
      const goesOn = missing !== null && missing === lacked;
      lacked = missing;
      same = missing === null && whatHappened(log, a) === whatHappened(other.logs[id]!, b);
      if (missing !== null) total[missing === 'one' ? 'only_other' : 'only_one']++;
      else {
        sum.ticks++;
        if (same) sum.agree++;
      }
      if (same || goesOn || listed++ >= LISTED) return;
      differences.push(difference({ one, other, machine: id, a, b, missing }, before));
    });
    total.ticks += sum.ticks;
    total.agree += sum.agree;
    return { machine: id, ...sum, share: sum.agree / sum.ticks };
  });
  differences.sort((a, b) => a.due_s - b.due_s);
  return { ...total, share: total.agree / total.ticks, machines, differences };
}

type Missing = 'one' | 'other' | null;

/**
 * Visits each tick's rows in two logs, to the end of the shorter; where one of them lacks a tick,
 * its row is that of the tick which it has next.
 */
function eachTick(
  one: Log, other: Log, visit: (a: number, b: number, missing: Missing) => void,
): void {
  for (let [a, b] = [0, 0]; a < one.rows && b < other.rows;) {
    if (!ticks(one, a)) a++;
    else if (!ticks(other, b)) b++;
    else {
      const ahead = one.tick[a]! - other.tick[b]!;
      visit(a, b, ahead > 0 ? 'one' : ahead < 0 ? 'other' : null);
      if (ahead <= 0) a++;
      if (ahead >= 0) b++;
    }
  }
}

/** What a tick did, in words; two ticks that did the same give the same. */
function whatHappened(log: Log, r: number): string {
  const list = (column: Int32Array | Float64Array) =>
    column.subarray(log.first[r], log.first[r + 1]).join(' ');
  const what = has(log, r, SEND) ? ` to ${list(log.peer)}`
    : has(log, r, RECEIVE) ? ` ${list(log.value)} from ${list(log.peer)}` : '';
  return `${EVENTS[log.event[r]!]}${what}, clock ${log.clock[r]}`;
}

/** A tick that differs, of a machine in two runs: rows a and b. */
interface Place {
  one: Recording;
  other: Recording;
  machine: number;
  a: number;
  b: number;
  /** The run that lacks the tick, if one does. */
  missing: Missing;
}

/** @param fresh whether the tick before it did not differ */
function difference(place: Place, fresh: boolean): Difference {
  const { one, other, machine, a, b, missing } = place;
  const [log, log2] = [one.logs[machine]!, other.logs[machine]!];
  const tick = missing === 'one' ? log2.tick[b]! : log.tick[a]!;
  return {
    machine, tick, due_s: dueOf(one.run, machine)(tick),
    one: missing === 'one' ? 'no such tick' : whatHappened(log, a),
    other: missing === 'other' ? 'no such tick' : whatHappened(log2, b),
    why: missing === 'one' ? skip(one, machine, a) : missing === 'other' ? skip(other, machine, b)
      : fresh ? whyFresh(place) : 'it follows from the tick before',
  };
}

/** Why a tick differs although the one before it did not. */
function whyFresh({ one, other, machine, a, b }: Place): string {
  const causes = [cause(one, other, machine, a, b), cause(other, one, machine, b, a)]
    .filter((text) => text !== null);
  if (causes.length > 0) return causes.join('; ');
  if (has(one.logs[machine]!, a, RECEIVE) && has(other.logs[machine]!, b, RECEIVE)) {
    return 'the same messages came in another order'; // With `take` all, by one tick.
  }
  const tick = one.logs[machine]!.tick[a]!;
  const rolled = [one, other].find(({ run }) => run.what_if.some((item) =>
    item.do === 'roll' && item.machine === machine && item.tick === tick));
  return rolled ? `what_if of ${rolled.folder} says the roll` : UNEXPLAINED;
}

/** The time of a row in model seconds from the start. */
const seconds = ({ run, logs }: Recording, log: Log, r: number): number =>
  (log.time_us[r]! - (run.start_us ?? logs[0]!.time_us[0]!))
    / (run.kind === 'virtual' ? 1e6 : 1e6 / run.speed);

/** Why a run lacks a tick of a machine that has its next one in row r. */
function skip(run: Recording, machine: number, r: number): string {
  const log = run.logs[machine]!;
  const [from_s, to_s] = [seconds(run, log, r - 1), seconds(run, log, r)];
  let last_s = from_s;
  for (let row = r - 1; row > 0 && !ticks(log, row); row--) last_s = seconds(run, log, row - 1);
  const fault = run.run.faults.find(({ do: what, machine: whose, at_s, for_s }) => what !== 'cut'
    && whose === machine && at_s <= to_s && at_s + (for_s ?? Infinity) >= last_s);
  return `it was skipped in ${run.folder}${
    fault ? ` (${words(fault)})` : `: the one after it was due when the machine ran again`}`;
}

/**
 * What let a tick of one run, row r, take what the same tick of another, row r2, did not: a message
 * that was not sent there, or came too late, or was lost; null if there is none such.
 */
function cause(
  one: Recording, other: Recording, machine: number, r: number, r2: number,
): string | null {
  const [log, log2] = [one.logs[machine]!, other.logs[machine]!];
  if (!has(log, r, RECEIVE)) return null;
  for (let n = log.first[r]!; n < log.first[r + 1]!; n++) {
    const [from, message] = [log.peer[n]!, log.value[n]!];
    if (received(log2, from, message) <= r2) continue;
    const [sender, sender2] = [one.logs[from], other.logs[from]];
    const s = sender ? sendOf(sender, message) : NONE;
    if (s === NONE) continue;
    const s2 = rowOf(sender2!, sender!.tick[s]!);
    const name = `${message} from ${from}`;
    if (s2 === NONE || whatHappened(sender!, s) !== whatHappened(sender2!, s2)) {
      return `${name} was not sent in ${other.folder}: `
        + `it follows from tick ${sender!.tick[s]} of machine ${from}`;
    }
    const here_us = log.time_us[r]! - sender!.time_us[s]!;
    const there_us = log2.time_us[r2]! - sender2!.time_us[s2]!;
    const lost = received(log2, from, message) < Infinity ? ''
      : faultBetween(other, from, machine);
    const paused = [one, other].map((run) => pauseAt(run, machine,
      run === one ? seconds(run, sender!, s) : seconds(run, sender2!, s2))).find(Boolean) ?? '';
    return `${name} was sent ${gap(one, here_us)}, ${gap(other, there_us)}${lost || paused}`;
  }
  return null;
}

const gap = ({ folder }: Recording, gap_us: number): string => `${gap_us === 0 ? 'at the moment of'
  : `${ms(Math.abs(gap_us))} ${gap_us > 0 ? 'before' : 'after'}`} the tick in ${folder}`;

/** The row in which a machine sent a message of a value, or NONE. */
function sendOf(log: Log, message: number): number {
  const row = countBelow(log.clock, message, 0, log.rows);
  return row < log.rows && has(log, row, SEND) && log.clock[row] === message ? row : NONE;
}

/** The row of a tick, or NONE. */
function rowOf(log: Log, tick: number): number {
  for (let r = 0; r < log.rows; r++) if (log.tick[r] === tick) return r;
  return NONE;
}

/** In words, the pause of a machine in which a message came; then its order is free. */
function pauseAt({ run }: Recording, machine: number, at_s: number): string {
  const pause = run.faults.find((fault) => fault.do === 'pause' && fault.machine === machine
    && fault.at_s - PAUSE_SLACK_S <= at_s
    && at_s <= fault.at_s + (fault.for_s ?? Infinity) + PAUSE_SLACK_S);
  return pause ? `, and what came in the ${words(pause)} stands in any order` : '';
}

const words = (fault: Fault): string => `${fault.do} ${machinesOf(fault).join('-')} at ${
  Number(fault.at_s.toFixed(3))} s`;

/** The row that received a message, or Infinity. */
function received(log: Log, from: number, message: number): number {
  for (let r = 0; r < log.rows; r++) {
    if (!has(log, r, RECEIVE)) continue;
    for (let n = log.first[r]!; n < log.first[r + 1]!; n++) {
      if (log.value[n] === message && log.peer[n] === from) return r;
    }
  }
  return Infinity;
}

/** Which faults of a run can have lost what one machine sent to another, in words. */
function faultBetween({ run, folder }: Recording, from: number, to: number): string {
  const able = run.faults.filter(({ do: what, machine, link }) => (what === 'cut'
    ? link!.includes(from) && link!.includes(to)
    : what === 'crash' && [from, to].includes(machine!)));
  return able.length === 0 ? ''
    : `, and never received in ${folder} (${able.map(words).join(', ')})`;
}
