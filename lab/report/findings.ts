/** What a run's numbers say: a sentence for each picture, which has to hold of the frame. */
import type { DataFrame } from 'nodejs-polars';
import { listed } from '../cli/terminal.ts';
import type { Span } from '../frames/faults.ts';
import type { Row } from './stage.ts';

/** More machines than this are counted in a sentence, and not named. */
const NAMED_MOST = 3;
/** So many standard errors a count of messages may be off by chance. */
const ERRORS = 2;

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
  /** Of the tables that set measurement and prediction side by side. */
  theory: string;
}

// ── Numbers in words ─────────────────────────────────────────────────────────────────────────

/** Two digits that count, and all of a whole number: 0.87, 2.9, 34, 1034. */
export const about = (x: number): string => (!Number.isFinite(x) ? (x === Infinity ? '∞' : '–')
  : Math.abs(x) >= 10 ? String(Math.round(x)) : String(Number(x.toPrecision(2))));
export const percent = (share: number): string =>
  (Number.isFinite(share) ? `${Math.round(100 * share)} %` : '–');

const known = (x: number | undefined): x is number => x !== undefined && !Number.isNaN(x);
const highest = (rows: Row[], column: string) => rows.reduce((most, row) =>
  (row[column]! > most[column]! || Number.isNaN(most[column]!) ? row : most));
const lowest = (rows: Row[], column: string) => rows.reduce((least, row) =>
  (row[column]! < least[column]! || Number.isNaN(least[column]!) ? row : least));

/** The values of machines, in the order of the machines; '5 each' where all are the same. */
function each(rows: Row[], column: string, word: (x: number) => string = about): string {
  const words = rows.slice(0, NAMED_MOST).map((row) => word(row[column]!));
  if (words.length > 1 && new Set(rows.map((row) => word(row[column]!))).size === 1) {
    return `${words[0]} each`;
  }
  return rows.length > NAMED_MOST ? `${words.join(', ')}, …` : listed(words);
}

/** ' (theory: 3.6)', or nothing where there is none. */
const theory = (rows: Row[], column: string, unit = '', word = about) =>
  (rows.slice(0, NAMED_MOST).every((row) => known(row[`theory_${column}`]))
    ? ` (theory: ${each(rows, `theory_${column}`, word)}${unit})` : '');

/** Machines that share a finding: 'Machine 0', 'Machines 0, 1, 2 and 4 more'. */
const named = (rows: Row[]): string => `${rows.length > 1 ? 'Machines' : 'Machine'} ${
  counted(rows.map(({ machine }) => String(machine)))}`;

/** '0, 1, 2 and 4 more'. */
const counted = (words: string[]): string => listed(words.length <= NAMED_MOST ? words
  : [...words.slice(0, NAMED_MOST), `${words.length - NAMED_MOST} more`]);

const lower = (text: string) => `${text[0]!.toLowerCase()}${text.slice(1)}`;
/** Of one or of several: what agrees with the subject. */
const agree = (rows: Row[], one: string, many: string) => (rows.length > 1 ? many : one);

// ── The verdict ──────────────────────────────────────────────────────────────────────────────

/** Whether a machine keeps up with its messages, so far as one run can tell. */
export type Verdict = 'keeps up' | 'on the border' | 'falls behind';

/**
 * A machine that hears less than one message a tick keeps up; above one it falls behind for ever.
 * A run cannot tell a load from 1 that lies within two standard errors of it: of n messages, which
 * come by chance, about √n more or fewer would have come in another run. Where theory's load is 1
 * and nothing else, chance rules for ever.
 */
export function verdictOf({ ticks, load, theory_load }: Row): Verdict {
  if (!(ticks! > 0)) return 'keeps up';
  const error = Math.sqrt(load! * ticks!) / ticks!;
  if (theory_load === 1 || Math.abs(load! - 1) <= ERRORS * error) return 'on the border';
  return load! > 1 ? 'falls behind' : 'keeps up';
}

// ── Sentences ────────────────────────────────────────────────────────────────────────────────

/**
 * What each picture shows, in a sentence with its numbers.
 * @param frame from withTheory
 * @param waiting from waits
 * @param faults from spansOf
 */
export function findings(
  frame: DataFrame, waiting: DataFrame, faults: readonly Span[] = [],
): Findings {
  const all = frame.toRecords().map((row) => Object.fromEntries(Object.entries(row)
    .map(([name, value]) => [name, value === null ? NaN : Number(value)]))) as Row[];
  const rows = all.filter(({ ticks }) => ticks! > 0);
  if (rows.length === 0) {
    const nothing = 'No machine has ticked';
    return { headline: nothing, clocks: nothing, lag: nothing, queues: nothing, jumps: nothing,
      events: nothing, messages: nothing, theory: 'Nothing to compare with theory' };
  }
  const end_s = highest(rows, 'last_s').last_s!;
  const dead = rows.filter(({ last_s, rate_hz }) => end_s - last_s! > 2 / rate_hz!);
  const late = rows.filter((row) => verdictOf(row) === 'falls behind');
  return {
    headline: (dead.length > 0 ? silentHeadline(dead) : headline(rows, late))
      + faultClause(faults),
    clocks: dead.length > 0 ? silentClocks(dead) : clocksFinding(rows, late),
    lag: late.length > 0 ? lateFinding(late) : lagFinding(rows),
    queues: late.length > 0 && known(late[0]!.final_queue) ? growingFinding(late)
      : queueFinding(rows),
    jumps: jumpFinding(rows), events: eventFinding(rows),
    messages: messageFinding(waiting.toRecords() as Row[]), theory: theoryFinding(rows),
  };
}

function headline(rows: Row[], late: Row[]): string {
  const border = rows.filter((row) => verdictOf(row) === 'on the border');
  const hears = agree(border, 'hears', 'hear');
  const stands = border.length === 0 ? '' : `${named(border)} ${agree(border, 'stands', 'stand')} `
    + `on the border of keeping up: ${agree(border, 'it', 'they')} ${hears} `
    + `${each(border, 'load', (x) => x.toFixed(2))} messages for each tick`;
  if (late.length > 0) {
    return `${named(late)} cannot keep up with ${agree(late, 'its', 'their')} messages`
      + (stands && `; ${lower(stands)}`);
  }
  return stands || 'Every machine keeps up with its messages';
}

/** What was done to whom: '; machine 2 was paused and link 0–2 was cut'. */
function faultClause(faults: readonly Span[]): string {
  const ids = (kind: (span: Span) => boolean) => [...new Set(faults.filter(kind)
    .map(({ machines }) => machines.join('–')))].sort(new Intl.Collator('en', { numeric: true })
    .compare);
  const clauses = ([
    ['machine', 'paused', ids(({ do: what }) => what === 'pause')],
    ['machine', 'killed and started again', ids(({ do: what, for_good }) =>
      what === 'crash' && !for_good)],
    ['machine', 'killed for good', ids(({ do: what, for_good }) => what === 'crash' && for_good)],
    ['link', 'cut', ids(({ do: what }) => what === 'cut')],
  ] as const).filter(([, , whom]) => whom.length > 0).map(([what, done, whom]) =>
    `${what}${whom.length > 1 ? 's' : ''} ${counted(whom)} ${whom.length > 1 ? 'were' : 'was'} `
    + done);
  return clauses.length === 0 ? '' : `; ${listed(clauses)}`;
}

/** How fast the clocks of some grow beside the highest. */
function clocksFinding(rows: Row[], late: Row[]): string {
  const front = highest(rows, 'clock_growth_hz');
  const gains = `gains ${about(front.clock_growth_hz!)} a second`
    + theory([front], 'clock_growth_hz');
  if (late.length === 0) return `The highest clock, machine ${front.machine}’s, ${gains}`;
  const whose = late.length > 1 ? `The clocks of ${lower(named(late))} gain`
    : `${named(late)}’s clock gains`;
  return `${whose} ${each(late, 'clock_growth_hz')} a second${theory(late, 'clock_growth_hz')}; `
    + `the highest, machine ${front.machine}’s, ${gains}`;
}

const lateFinding = (late: Row[]): string =>
  `${named(late)} ${agree(late, 'falls', 'fall')} behind by ${each(late, 'lag_growth_hz')} a second`
  + `${theory(late, 'lag_growth_hz')}: ${agree(late, 'it hears', 'they hear')} `
  + `${each(late, 'load', (x) => x.toFixed(2))} messages for each tick`;

/** Who lags most on average, and whose lag was the worst. */
function lagFinding(rows: Row[]): string {
  const [last, worst] = [highest(rows, 'mean_lag'), highest(rows, 'max_lag')];
  if (worst.max_lag === 0) return 'No clock is ever behind another';
  const mean = `by ${about(last.mean_lag!)} on average${theory([last], 'mean_lag')}`;
  return last.max_lag === worst.max_lag
    ? `Machine ${last.machine} lags most: ${mean}, ${about(last.max_lag!)} at worst`
    : `Machine ${last.machine} lags most, ${mean}; the worst lag is machine ${worst.machine}’s: `
      + about(worst.max_lag!);
}

const growingFinding = (late: Row[]): string =>
  (late.length > 1 ? `The queues of ${lower(named(late))} grow` : `${named(late)}’s queue grows`)
  + ` by ${each(late, 'queue_growth_hz')} a second${theory(late, 'queue_growth_hz')}, to `
  + `${each(late, 'final_queue')} messages at the end`;

function queueFinding(rows: Row[]): string {
  const counted = rows.filter(({ max_queue }) => known(max_queue));
  if (counted.length === 0) return 'How many messages wait, as far as the logs tell';
  const [most, left] = [highest(counted, 'max_queue'), highest(counted, 'final_queue')];
  if (most.max_queue === 0) return 'No message ever waits for a second tick';
  const end = left.final_queue === 0 ? 'all queues are empty at the end'
    : `machine ${left.machine} has most at the end: ${left.final_queue}`;
  return `Never more than ${most.max_queue} message${most.max_queue === 1 ? ' waits' : 's wait'}, `
    + `at machine ${most.machine}; ${end}`;
}

function jumpFinding(rows: Row[]): string {
  const [most, least] = [highest(rows, 'mean_jump'), lowest(rows, 'mean_jump')];
  const longest = highest(rows, 'max_jump');
  if (longest.max_jump === 1) return 'No clock ever jumps: each tick adds 1';
  const record = longest.max_jump === most.max_jump ? `, ${most.max_jump} at most`
    : `; the longest jump is machine ${longest.machine}’s: ${longest.max_jump}`;
  const other = most === least || most.mean_jump === least.mean_jump ? ''
    : `; machine ${least.machine} least: by ${about(least.mean_jump!)}`;
  return `Machine ${most.machine} jumps most: by ${about(most.mean_jump!)} a tick on average`
    + record + other;
}

function eventFinding(rows: Row[]): string {
  const [most, least] = [highest(rows, 'receive_share'), lowest(rows, 'receive_share')];
  if (most.receive_share === least.receive_share) {
    return `Each machine spends ${percent(most.receive_share!)} of its ticks on receives`;
  }
  return `Machine ${most.machine} spends ${percent(most.receive_share!)} of its ticks on receives, `
    + `machine ${least.machine} spends ${percent(least.receive_share!)}`
    + theory([most, least], 'receive_share', '', percent);
}

/** Who takes its messages latest, whose wait was the longest, and what was never taken. */
function messageFinding(rows: Row[]): string {
  const taken = rows.filter((row) => row.taken! > 0);
  const left = rows.reduce((sum, row) => sum + (row.not_taken ?? 0), 0);
  const never = left === 0 ? '' : `; of all messages ${left} ${left === 1 ? 'was' : 'were'} never `
    + 'taken';
  if (taken.length === 0) {
    return left > 0 ? `No message was taken, of ${left}` : 'No message was sent';
  }
  const [slow, worst] = [highest(taken, 'mean_wait_s'), highest(taken, 'max_wait_s')];
  const longest = worst.max_wait_s === slow.max_wait_s ? `, ${about(slow.max_wait_s!)} s at worst`
    : `; the longest wait is machine ${worst.machine}’s: ${about(worst.max_wait_s!)} s`;
  return `Machine ${slow.machine} takes its messages latest: ${about(slow.mean_wait_s!)} s after `
    + `they were sent, on average${longest}${never}`;
}

function theoryFinding(rows: Row[]): string {
  const off = rows.map(({ machine, clock_growth_hz, theory_clock_growth_hz }) =>
    ({ machine: machine!, share: clock_growth_hz! / theory_clock_growth_hz! - 1 }))
    .filter(({ share }) => Number.isFinite(share));
  if (off.length === 0) return 'Nothing to compare with theory';
  const most = off.reduce((far, one) => (Math.abs(one.share) > Math.abs(far.share) ? one : far));
  const within = Math.ceil(100 * Math.abs(most.share) - 1e-9);
  return within <= 2 ? `All clocks grow as theory foretells, within ${within} %`
    : `Machine ${most.machine}’s clock grows ${percent(Math.abs(most.share))} `
      + `${most.share > 0 ? 'faster' : 'slower'} than theory foretells`
      + (off.length > 1 ? ', the others’ are nearer' : '');
}

// ── Machines that fell silent ────────────────────────────────────────────────────────────────

const silentHeadline = (dead: Row[]): string =>
  `${named(dead)} ${agree(dead, 'was', 'were')} last heard of at ${each(dead, 'last_s')} s`;

const silentClocks = (dead: Row[]): string =>
  (dead.length > 1 ? `The clocks of ${lower(named(dead))} stand still`
    : `${named(dead)}’s clock stands still`)
  + ` at ${each(dead, 'final_clock')} from ${each(dead, 'last_s')} s on`;
