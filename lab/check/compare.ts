/** Two runs of one configuration side by side, tick by tick, and the races that part them. */
import { dueOf } from './chance.ts';
import { countBelow, has, ms, ticks } from './context.ts';
import { EVENTS, NONE, RECEIVE, SEND, type Log, type Recording } from './read.ts';
import { machinesOf, Unreadable } from './record.ts';

/** So many ticks of a machine that differ between two runs are listed. */
const LISTED = 3;

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
    eachTick(log, other.logs[id]!, (a, b) => {
      if (a === NONE || b === NONE) {
        total[a === NONE ? 'only_other' : 'only_one']++;
        return;
      }
      const before = same;
      same = whatHappened(log, a) === whatHappened(other.logs[id]!, b);
      sum.ticks++;
      if (same) sum.agree++;
      else if (listed++ < LISTED) differences.push(difference(one, other, id, a, b, before));
    });
    total.ticks += sum.ticks;
    total.agree += sum.agree;
    return { machine: id, ...sum, share: sum.agree / sum.ticks };
  });
  differences.sort((a, b) => a.due_s - b.due_s);
  return { ...total, share: total.agree / total.ticks, machines, differences };
}

/** Visits each tick's rows in two logs, NONE where one lacks it, to the end of the shorter. */
function eachTick(one: Log, other: Log, visit: (a: number, b: number) => void): void {
  for (let [a, b] = [0, 0]; a < one.rows && b < other.rows;) {
    if (!ticks(one, a)) a++;
    else if (!ticks(other, b)) b++;
    else {
      const ahead = one.tick[a]! - other.tick[b]!;
      visit(ahead > 0 ? NONE : a, ahead < 0 ? NONE : b);
      if (ahead <= 0) a++;
      if (ahead >= 0) b++;
    }
  }
}

/** What a tick did, in words; two ticks that did the same give the same. */
function whatHappened(log: Log, r: number): string {
  const peers = () => log.peer.subarray(log.first[r], log.first[r + 1]).join(' ');
  const what = has(log, r, SEND) ? ` to ${peers()}`
    : has(log, r, RECEIVE) ? ` ${log.value.subarray(log.first[r], log.first[r + 1]).join(' ')} from ${peers()}` : '';
  return `${EVENTS[log.event[r]!]}${what}, clock ${log.clock[r]}`;
}

/** A tick that differs, in rows a and b; `fresh` if the tick before it did not. */
function difference(
  one: Recording, other: Recording, machine: number, a: number, b: number, fresh: boolean,
): Difference {
  const [log, log2] = [one.logs[machine]!, other.logs[machine]!];
  const tick = log.tick[a]!;
  const due_s = dueOf(one.run, machine)(tick);
  const races = [race(one, other, machine, a, b), race(other, one, machine, b, a)];
  const why = !fresh ? 'it follows from the tick before'
    : races.filter((text) => text !== null).join('; ')
    || 'it follows from a difference of another machine';
  return { machine, tick, due_s, one: whatHappened(log, a), other: whatHappened(log2, b), why };
}

/**
 * The race that let a tick of one run, row r, receive what the same tick of another, row r2, did
 * not; null if there was none: the message was never sent there, or was received before.
 */
function race(
  one: Recording, other: Recording, machine: number, r: number, r2: number,
): string | null {
  const [log, log2] = [one.logs[machine]!, other.logs[machine]!];
  if (!has(log, r, RECEIVE)) return null;
  const sentAt = ({ logs }: Recording, from: number, message: number): number => {
    const sender = logs[from];
    const row = sender ? countBelow(sender.clock, message, 0, sender.rows) : 0;
    return sender && row < sender.rows && has(sender, row, SEND) && sender.clock[row] === message
      ? sender.time_us[row]! : NaN;
  };
  const gap = ({ folder }: Recording, gap_us: number) => `${gap_us === 0 ? 'at the moment of'
    : `${ms(Math.abs(gap_us))} ${gap_us > 0 ? 'before' : 'after'}`} the tick in ${folder}`;
  for (let n = log.first[r]!; n < log.first[r + 1]!; n++) {
    const [from, message] = [log.peer[n]!, log.value[n]!];
    if (received(log2, from, message) <= r2) continue;
    const here_us = log.time_us[r]! - sentAt(one, from, message);
    const there_us = log2.time_us[r2]! - sentAt(other, from, message);
    if (Number.isNaN(here_us + there_us)) continue;
    const lost = received(log2, from, message) === Infinity ? faultBetween(other, from, machine) : '';
    return `${message} from ${from} was sent ${gap(one, here_us)}, ${gap(other, there_us)}${lost}`;
  }
  return null;
}

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
    ? link!.includes(from) && link!.includes(to) : what === 'crash' && [from, to].includes(machine!)));
  if (able.length === 0) return '';
  const words = able.map((fault) => `${fault.do} ${machinesOf(fault).join('-')} at ${fault.at_s} s`);
  return `, and never received in ${folder} (${words.join(', ')})`;
}
