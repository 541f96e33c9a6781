/** What a run's numbers say: a sentence for each picture, which has to hold of the frame. */
import type { DataFrame } from 'nodejs-polars';
import { listed } from '../cli/terminal.ts';
import type { RunRecord } from '../model/record.ts';
import type { Row } from './stage.ts';

/** Two digits that count, and all of a whole number: 0.87, 2.9, 34, 1034. */
export const about = (x: number): string => (!Number.isFinite(x) ? '–' : Math.abs(x) >= 10
  ? String(Math.round(x)) : String(Number(x.toPrecision(2))));
export const percent = (share: number) => `${Math.round(100 * share)} %`;
const highest = (rows: Row[], column: string) => rows.reduce((most, row) =>
  (row[column]! > most[column]! || Number.isNaN(most[column]!) ? row : most));
const lowest = (rows: Row[], column: string) => rows.reduce((least, row) =>
  (row[column]! < least[column]! || Number.isNaN(least[column]!) ? row : least));

/** Machines that share a finding, for the start and the middle of a sentence. */
function subject(rows: Row[]): { name: string; many: boolean; each(column: string): string } {
  const shown = rows.slice(0, 3);
  const ids = shown.map(({ machine }) => String(machine));
  if (rows.length > shown.length) ids.push(`${rows.length - shown.length} more`);
  return {
    name: `${rows.length > 1 ? 'Machines' : 'Machine'} ${listed(ids)}`, many: rows.length > 1,
    each: (column) => listed([...new Set(shown.map((row) => about(row[column]!)))]),
  };
}

export interface Findings {
  /** Of the page. */
  headline: string;
  clocks: string;
  lag: string;
  queues: string;
  jumps: string;
  events: string;
  /** Of the space-time diagram. */
  messages: string;
}

/**
 * What each picture shows, in a sentence with its numbers.
 * @param frame from withTheory
 * @param waiting from waits
 */
export function findings(frame: DataFrame, waiting: DataFrame): Findings {
  const rows = (frame.toRecords() as Row[]).filter(({ ticks }) => ticks! > 0);
  if (rows.length === 0) {
    const nothing = 'No machine has ticked';
    return { headline: nothing, clocks: nothing, lag: nothing, queues: nothing, jumps: nothing,
      events: nothing, messages: nothing };
  }
  const end_s = highest(rows, 'last_s').last_s!;
  const dead = rows.filter(({ last_s, rate_hz }) => end_s - last_s! > 2 / rate_hz!);
  // Who hears of more messages than it has ticks works on ever older ones.
  const late = rows.filter(({ load }) => load! > 1);
  return {
    ...(late.length > 0 ? overloaded(rows, late) : keepingUp(rows)),
    ...(dead.length > 0 ? silent(dead) : {}),
    jumps: jumpFinding(rows), messages: messageFinding(waiting.toRecords() as Row[]),
  };
}

function overloaded(rows: Row[], late: Row[]): Omit<Findings, 'jumps' | 'messages'> {
  const { name, many, each } = subject(late);
  const front = highest(rows, 'clock_growth_hz');
  const heard = [...new Set(late.slice(0, 3).map(({ load }) => load!.toFixed(2)))];
  const theory = (column: string) => `theory: ${each(`theory_${column}`)}`;
  return {
    headline: `${name} cannot keep up with ${many ? 'their' : 'its'} messages`,
    clocks: `${name}’s clock${many ? 's gain' : ' gains'} ${each('clock_growth_hz')} a second, the `
      + `highest ${about(front.clock_growth_hz!)} (${theory('clock_growth_hz')})`,
    lag: `${name} fall${many ? '' : 's'} behind by ${each('lag_growth_hz')} a second: `
      + `${many ? 'they hear' : 'it hears'} ${listed(heard)} messages for each tick `
      + `(${theory('lag_growth_hz')} a second)`,
    queues: `${name}’s queue${many ? 's grow' : ' grows'} by ${each('queue_growth_hz')} a second, `
      + `to ${each('final_queue')} messages at the end (${theory('queue_growth_hz')} a second)`,
    events: `${name} ${many ? 'are' : 'is'} saturated: ${percent(lowest(late, 'receive_share')
      .receive_share!)} of ${many ? 'their' : 'its'} ticks are receives`,
  };
}

function silent(dead: Row[]): Pick<Findings, 'headline' | 'clocks' | 'lag'> {
  const { name, many, each } = subject(dead);
  return {
    headline: `${name} ${many ? 'were' : 'was'} last heard of at ${each('last_s')} s`,
    clocks: `${name}’s clock${many ? 's stand' : ' stands'} still at ${each('final_clock')} from `
      + `${each('last_s')} s on`,
    lag: `${name}, silent from ${each('last_s')} s on, end${many ? '' : 's'} `
      + `${each('max_lag')} behind`,
  };
}

function keepingUp(rows: Row[]): Omit<Findings, 'jumps' | 'messages'> {
  const [front, last] = [highest(rows, 'clock_growth_hz'), highest(rows, 'mean_lag')];
  const [most, least] = [highest(rows, 'receive_share'), lowest(rows, 'receive_share')];
  const queue = highest(rows, 'max_queue');
  return {
    headline: 'Every machine keeps up with its messages',
    clocks: `All clocks keep up with the highest, which gains ${about(front.clock_growth_hz!)} a `
      + `second (theory: ${about(front.theory_clock_growth_hz!)})`,
    lag: `Machine ${last.machine} lags most: by ${about(last.mean_lag!)} on average, `
      + `${last.max_lag} at worst (theory: ${about(last.theory_mean_lag!)} on average)`,
    queues: queue.max_queue === 0 ? 'No message ever waits for a second tick'
      : `Queues come back to nothing: never more than ${queue.max_queue} messages wait, `
        + `at machine ${queue.machine}`,
    events: most === least || most.receive_share === least.receive_share
      ? `Each machine spends ${percent(most.receive_share!)} of its ticks on receives`
      : `Machine ${most.machine} spends ${percent(most.receive_share!)} of its ticks on receives, `
        + `machine ${least.machine} ${percent(least.receive_share!)} (theory: `
        + `${percent(most.theory_receive_share!)} and ${percent(least.theory_receive_share!)})`,
  };
}

function jumpFinding(rows: Row[]): string {
  const [most, least] = [highest(rows, 'mean_jump'), lowest(rows, 'mean_jump')];
  if (most.max_jump === 1) return 'No clock ever jumps: each tick adds 1';
  return `Machine ${most.machine} jumps by ${about(most.mean_jump!)} a tick on average, `
    + `${most.max_jump} at most${most === least ? ''
      : `; machine ${least.machine} by ${about(least.mean_jump!)}`}`;
}

function messageFinding(rows: Row[]): string {
  const taken = rows.filter((row) => row.taken! > 0);
  if (taken.length === 0) return rows.length > 0 ? 'No message was taken' : 'No message was sent';
  const slow = highest(taken, 'mean_wait_s');
  const left = slow.not_taken! > 0 ? `; ${slow.not_taken} ${slow.not_taken === 1 ? 'was' : 'were'} `
    + 'not taken' : '';
  return `Machine ${slow.machine} takes a message ${about(slow.mean_wait_s!)} s after it was sent, `
    + `${about(slow.max_wait_s!)} s at worst${left}`;
}

/** What the network of a virtual run does, unless it is perfect. */
export function networkOf({ latency = 'constant:0', loss = 0, reorder = false }: RunRecord): string {
  return (latency === 'constant:0' ? '' : `, latency ${String(latency)} ms`)
    + (loss === 0 ? '' : `, ${percent(Number(loss))} of messages lost`)
    + (reorder === false ? '' : ', messages overtake each other');
}
