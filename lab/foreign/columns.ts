/**
 * Which column of a table says what happened: its words propose, and the clock decides, since it
 * jumps at receives alone and goes up by one elsewhere.
 */
import { clockOf } from './behaviour.ts';
import { codeOf, isTrue, label, type Meaning } from './guess.ts';
import type { Line, Shape } from './shapes.ts';
import { classify, isMissing, isNoEvent, type TickEvent } from './words.ts';

type Codes = Map<string, TickEvent | null>;

/** What a table's event is read from: words or codes in a column, or columns, one of them true. */
export interface EventColumn {
  slot: number;
  codes: Codes;
  hot: Meaning['hot'];
  score: number;
}

/** How often a code stands in a column, and how often the clock jumps there. */
interface Count {
  rows: number;
  jumps: number;
  /** Rows that bear the clock of the row before: one more of a send to several. */
  stays: number;
}

const SAMPLE = 20_000;
const CODES_MAX = 60;
const LATE_COST = 0.3;
const EVENT = /event|action|type|^op\b|operation|kind|command|\bmsg$|what|status/;
const ROLL = /roll|die|dice|rand|code|number/;
const OTHER = /queue|clock|peer|sender|receiver|\bto\b|\bfrom\b|machine|port|length|target/;

/** How much the clock rises from line to line of one machine; 1 where nothing is before. */
function stepsOf(lines: readonly Line[], clock: number, key: (line: Line) => string | number) {
  const last = new Map<string | number, number>();
  return lines.map((line) => {
    const now = clockOf(line.values[clock]);
    const before = last.get(key(line));
    last.set(key(line), now);
    return before === undefined ? 1 : now - before;
  });
}

/** The likeliest way to read a table's events; null if there is none. */
export function eventColumn(
  shape: Shape,
  clock: number,
  key: (line: Line) => string | number,
): EventColumn | null {
  const lines = shape.lines.slice(0, SAMPLE);
  const after = stepsOf(lines, clock, key);
  // Where a row bears the clock before its event, the jump stands in the machine's next row.
  const back = stepsOf([...lines].reverse(), clock, key);
  const before = back.map((step) => (step === 1 ? 1 : -step)).reverse();
  let best: EventColumn | null = null;
  for (const [late, steps] of [after, before].entries()) {
    const columns = [...shape.slots.keys()]
      .filter((at) => at !== clock)
      .map((at) => codedColumn(shape, at, lines, steps));
    for (const found of [hotColumns(shape, lines, steps), ...columns]) {
      if (!found) continue;
      const score = found.score - LATE_COST * late;
      if (!best || score > best.score) best = { ...found, score };
    }
  }
  return best && best.score > 0.6 ? best : null;
}

function countsOf(values: readonly string[], steps: readonly number[]): Map<string, Count> {
  const counts = new Map<string, Count>();
  for (const [n, value] of values.entries()) {
    const count = counts.get(value) ?? { rows: 0, jumps: 0, stays: 0 };
    counts.set(value, count);
    count.rows++;
    if (steps[n]! > 1) count.jumps++;
    if (steps[n] === 0) count.stays++;
  }
  return counts;
}

const total = (counts: Iterable<Count>, of: keyof Count) =>
  [...counts].reduce((sum, count) => sum + count[of], 0);

// ── One column ───────────────────────────────────────────────────────────────────────────────

function codedColumn(
  shape: Shape,
  at: number,
  lines: readonly Line[],
  steps: readonly number[],
): EventColumn | null {
  const name = label(shape, at);
  const values = lines.map((line) => codeOf(line.values[at] ?? ''));
  const counts = countsOf(values, steps);
  if (counts.size < 2 || counts.size > CODES_MAX) return null;
  const isNamed = EVENT.test(name);
  const said = new Map([...counts.keys()].map((code) => [code, saidOf(code, isNamed)] as const));
  const worded = [...counts].filter(([code]) => said.get(code));
  const loud = worded.reduce((sum, [code, { rows }]) => sum + rows * said.get(code)!.weight, 0);
  const codes =
    total(worded.map(([, count]) => count), 'rows') > lines.length * 0.5 && !isDie(counts)
      ? wordCodes(counts, said)
      : numberCodes(counts, said, isNamed ? filledAt(shape, at, lines, values) : null);
  if (!codes) return null;
  const score =
    scoreOf(codes, counts, lines.length) +
    Math.min(1, loud / lines.length / 2) +
    (isNamed || ROLL.test(name) ? 0.6 : 0) -
    (OTHER.test(name) ? 0.6 : 0);
  return { slot: at, codes, hot: {}, score };
}

/** What a cell says; where a value is missing it says nothing, but in a column of events. */
function saidOf(code: string, isNamed: boolean): { event: TickEvent; weight: number } | null {
  if (isMissing(code) && !(isNamed && /^none$/i.test(code))) return null;
  const said = classify(code);
  return said && !(said.weight < 2 && isNoEvent(code)) ? said : null;
}

const isDie = (counts: ReadonlyMap<string, Count>) =>
  [...counts.keys()].filter((code) => /^\d\d?$/.test(code)).length >= 4;

/** The one code at whose rows a queue's or a message's column is filled, and at no other. */
function filledAt(
  shape: Shape,
  at: number,
  lines: readonly Line[],
  values: readonly string[],
): string | null {
  for (const other of shape.slots.keys()) {
    const name = label(shape, other);
    if (other === at || !/queue|\blen|message|\bmsg|sender|inbox/.test(name)) continue;
    const full = new Set(
      values.filter((_, n) => /^\d+$/.test((lines[n]!.values[other] ?? '').trim())),
    );
    if (full.size === 1) return [...full][0]!;
  }
  return null;
}

/** Words as they say; of two that would receive, the one at which no clock jumps is internal. */
function wordCodes(
  counts: ReadonlyMap<string, Count>,
  said: ReadonlyMap<string, { event: TickEvent; weight: number } | null>,
): Codes {
  const codes: Codes = new Map();
  for (const code of counts.keys()) codes.set(code, said.get(code)?.event ?? null);
  const has = (event: TickEvent) => [...codes.values()].includes(event);
  if (!has('internal')) {
    const receives = [...counts].filter(([code]) => codes.get(code) === 'receive');
    const loudest = Math.max(...receives.map(([code]) => said.get(code)!.weight));
    const quiet = receives.find(
      ([code, { jumps, rows }]) => said.get(code)!.weight < loudest && jumps < 0.02 * rows,
    );
    if (quiet) codes.set(quiet[0], 'internal');
  }
  const all = ['internal', 'send', 'receive'] as const;
  const missing = all.filter((one) => !has(one));
  const unknown = [...counts]
    .filter(([code]) => codes.get(code) === null && !isNoEvent(code) && code !== '')
    .sort((a, b) => b[1].rows - a[1].rows);
  // One common word that no dictionary knows is the event that no other word is.
  if (missing.length === 1 && unknown[0] && unknown[0][1].rows > 20) {
    const [code, { jumps, rows }] = unknown[0];
    if ((missing[0] === 'receive') === jumps > 0.1 * rows) codes.set(code, missing[0]!);
  }
  return codes;
}

/** Codes: the receive is the one at which the clock jumps; of a die 1 to 3 send. */
export function numberCodes(
  counts: ReadonlyMap<string, Count>,
  said: ReadonlyMap<string, { event: TickEvent; weight: number } | null>,
  filled: string | null = null,
): Codes | null {
  const isCode = (code: string) => /^-?\d{1,2}$/.test(code) || /^[A-Za-z_ ]{1,16}$/.test(code);
  const rows = total(counts.values(), 'rows');
  const known = total([...counts].filter(([code]) => isCode(code)).map(([, one]) => one), 'rows');
  if (counts.size > 24 || known < rows * 0.98) return null;
  const all = total(counts.values(), 'jumps');
  const [code, most] = [...counts].sort((a, b) => b[1].jumps - a[1].jumps)[0]!;
  // Without jumps, only a code beside the die's can be the receive.
  const odd =
    [...counts.keys()].find((code) => code === '-1' || said.get(code)?.event === 'receive') ??
    (counts.has('0') && counts.has('7') ? '0' : undefined);
  const receive =
    all >= 3 && most.jumps >= all * (filled === code ? 0.4 : 0.9)
      ? code
      : all < 3
        ? (filled ?? (counts.size >= 4 ? odd : undefined))
        : undefined;
  if (receive === undefined || isMissing(receive) && receive !== '-1') return null;
  const others = [...counts.keys()].filter((one) => one !== receive);
  const numbers = others.map(Number).filter(Number.isInteger);
  const isRolled = numbers.length >= 3 && Math.max(...numbers) >= 4;
  const stays = (one: string) => counts.get(one)!.stays > 0.05 * counts.get(one)!.rows;
  const common = [...others].sort(
    (a, b) => Number(stays(a)) - Number(stays(b)) || counts.get(b)!.rows - counts.get(a)!.rows)[0];
  return new Map(
    [...counts.keys()].map((one) => [
      one,
      one === receive
        ? 'receive'
        : (said.get(one)?.event ??
          (isRolled
            ? Number(one) >= 1 && Number(one) <= 3
              ? 'send'
              : 'internal'
            : one === common
              ? 'internal'
              : 'send')),
    ]),
  );
}

/** How well an assignment agrees with the clock: jumps at receives, and each row an event. */
function scoreOf(codes: Codes, counts: ReadonlyMap<string, Count>, rows: number): number {
  const of = (event: TickEvent | null) =>
    [...counts].filter(([code]) => codes.get(code) === event).map(([, count]) => count);
  const jumps = total(counts.values(), 'jumps');
  const kinds = new Set([...codes.values()].filter((event) => event !== null)).size;
  return (
    (jumps >= 3 ? (1.5 * total(of('receive'), 'jumps')) / jumps : 0.7) -
    (2 * total(of(null), 'rows')) / rows -
    (kinds < 2 ? 1.5 : kinds < 3 ? 0.4 : 0)
  );
}

// ── Columns of which one is true ─────────────────────────────────────────────────────────────

const FLAG = /^(0|1|0\.0|1\.0|true|false|yes|no|x|)$/i;

/** Columns of true and false, one of them true in each row: by their names, else by the clock. */
function hotColumns(
  shape: Shape,
  lines: readonly Line[],
  steps: readonly number[],
): EventColumn | null {
  const flags = [...shape.slots.keys()].filter((at) => {
    const values = new Set(lines.map((line) => (line.values[at] ?? '').trim()));
    return values.size === 2 && [...values].every((value) => FLAG.test(value));
  });
  const named: Meaning['hot'] = {};
  for (const at of flags) {
    const said = classify(label(shape, at));
    if (said && !/queue|clock|size/.test(label(shape, at))) named[said.event] ??= at;
  }
  const isAlone = (some: number[]) =>
    lines.filter((line) => some.filter((at) => isTrue(line.values[at])).length === 1).length;
  let hot = named;
  if (Object.keys(named).length < 2) {
    const three = triples(flags).find((some) => isAlone(some) >= lines.length * 0.98);
    if (!three) return null;
    hot = byJumps(three, lines, steps);
  } else if (named.internal === undefined) {
    // What is neither of two columns is the third event.
    const rest = flags.find((at) => !Object.values(named).includes(at));
    if (rest !== undefined) hot = { ...named, internal: rest };
  }
  const values = lines.map((line) =>
    (['receive', 'send', 'internal'] as const).find(
      (event) => hot[event] !== undefined && isTrue(line.values[hot[event]]),
    ) ?? '',
  );
  const counts = countsOf(values, steps);
  const codes: Codes = new Map();
  for (const code of counts.keys()) codes.set(code, (code || null) as TickEvent | null);
  const isNamed = Object.keys(named).length >= 2;
  return { slot: -1, codes: new Map(), hot,
    score: scoreOf(codes, counts, lines.length) + (isNamed ? 1.6 : 0.6) };
}

function triples(flags: readonly number[]): number[][] {
  return flags.flatMap((a, n) =>
    flags.slice(n + 1).flatMap((b, m) => flags.slice(n + m + 2).map((c) => [a, b, c])),
  );
}

/** Of three flags the receive is where the clock jumps, and the internal the commoner other. */
function byJumps(
  flags: readonly number[],
  lines: readonly Line[],
  steps: readonly number[],
): Meaning['hot'] {
  const counts = flags.map((at) => {
    const own = lines.flatMap((line, n) => (isTrue(line.values[at]) ? [steps[n]!] : []));
    return { at, rows: own.length, jumps: own.filter((step) => step > 1).length };
  });
  const [receive, ...others] = counts.sort((a, b) => b.jumps - a.jumps);
  const [internal, send] = others.sort((a, b) => b.rows - a.rows);
  return { receive: receive!.at, internal: internal!.at, send: send!.at };
}
