/**
 * Which shapes are events: words propose, and the chain of the clocks through a file decides
 * between two numbers, and between a message's arrival and its being processed.
 */
import { clockOf } from './behaviour.ts';
import { type Text } from './files.ts';
import { eventColumn } from './columns.ts';
import { eventAt, type Meaning } from './guess.ts';
import { clocks, fill } from './slots.ts';
import { type Line, type Shape, shapesOf } from './shapes.ts';
import { fits, isArrival, isNoEvent, type TickEvent } from './words.ts';

/** So many files, and lines of each, are looked at to decide; all are read. */
const SAMPLE = { files: 9, lines: 3000 };

/** A file, or one machine's lines in a file that holds several. */
type Key = (line: Line) => string | number;

/** A shape that may be an event, with the slots that may be its clock, the likeliest first. */
interface Candidate {
  meaning: Meaning;
  clocks: number[];
  key: Key;
}

const NO_SLOTS = { event: -1, time: -1, clock: -1, queue: -1, peer: -1, message: -1, machine: -1 };

/** What the lines of these texts mean; empty if nothing in them looks like an event. */
export function meaningsOf(texts: readonly Text[]): { meanings: Meaning[]; shapes: Shape[] } {
  const shapes = shapesOf(texts);
  const candidates = shapes.flatMap((shape) => candidateOf(shape) ?? []);
  let chosen = candidates.filter(
    ({ meaning }) =>
      meaning.event !== null || meaning.slots.event >= 0 || Object.keys(meaning.hot).length > 0,
  );
  settle(chosen);
  withQuiet(chosen);
  chosen = withoutArrivals(chosen);
  chosen = withUnnamed(
    chosen,
    candidates.filter((candidate) => !chosen.includes(candidate)),
  );
  chosen = withoutStrangers(chosen);
  for (const { meaning, key } of chosen) fill(meaning, key);
  alike(chosen.map(({ meaning }) => meaning));
  agreeOnMachines(chosen.map(({ meaning }) => meaning));
  return { meanings: chosen.map(({ meaning }) => meaning), shapes };
}

/** A slot that names the machine in a file of several machines' lines. */
function keyOf(shape: Shape): Key {
  const at = shape.slots.findIndex((slot) => fits('machine', slot.label) >= 2);
  if (at === -1) return (line) => line.text;
  const files = new Map<number, Set<string>>();
  for (const { text, values } of shape.lines.slice(0, 2000))
    files.set(text, (files.get(text) ?? new Set()).add(values[at]!));
  const sizes = [...files.values()].map(({ size }) => size);
  // Where each file has one machine, lines that do not name it are of the same.
  return Math.max(...sizes) === 1 || Math.max(...sizes) > 40
    ? (line) => line.text
    : (line) => `${line.text} ${line.values[at]}`;
}

function candidateOf(shape: Shape): Candidate | null {
  const key = keyOf(shape);
  const meaning: Meaning = {
    shape,
    slots: { ...NO_SLOTS },
    hot: {},
    codes: new Map(),
    event: null,
  };
  const found = clocks(shape, key);
  if (shape.separator === null && shape.said && shape.said.weight >= 0.8) {
    if (
      !(isNoEvent(shape.key) && shape.said.weight < 3) &&
      !/connection|handshake/i.test(shape.key)
    ) {
      meaning.event = shape.said.event;
    }
  }
  if (found.length === 0) return null;
  meaning.slots.clock = found[0]!;
  const isCode =
    shape.separator !== null ||
    !/[A-Za-z]/.test(shape.parts.join('')) ||
    shape.slots.some(({ label }) => /event|action|type|code|\bop$|roll|command/.test(label));
  if (meaning.event !== null || !isCode || isNoEvent(shape.key)) {
    return { meaning, clocks: found, key };
  }
  return withEvents(meaning, found, key);
}

/** Of a table's numbers that may be its clock, the first by which a column says what happened. */
function withEvents(meaning: Meaning, found: number[], key: Key): Candidate {
  const { shape } = meaning;
  if (shape.lines.length > 5 || shape.separator !== null) {
    const all = found
      .slice(0, 4)
      .map((clock) => ({ clock, column: eventColumn(shape, clock, key) }));
    const best = all.reduce((one, two, n) =>
      (two.column?.score ?? 0) - 0.2 * n > (one.column?.score ?? 0) ? two : one);
    if (best.column) {
      meaning.slots.clock = best.clock;
      meaning.slots.event = best.column.slot;
      meaning.codes = best.column.codes;
      meaning.hot = best.column.hot;
      const { slot } = best.column;
      const others = found.filter((at) => at !== best.clock && at !== slot);
      return { meaning, key, clocks: [best.clock, ...others] };
    }
  }
  return { meaning, clocks: found, key };
}

// ── The chain of clocks ──────────────────────────────────────────────────────────────────────

interface Link {
  record: number;
  line: Line;
  candidate: Candidate;
  event: TickEvent;
}

/** The events of the first files, file by file and machine by machine, in their order. */
function chains(candidates: readonly Candidate[]): Link[][] {
  const found = new Map<string, Link[]>();
  const files = new Set<number>();
  for (const candidate of candidates) {
    for (const line of candidate.meaning.shape.lines) {
      if (!files.has(line.text)) {
        if (files.size >= SAMPLE.files) continue;
        files.add(line.text);
      }
      const event = eventAt(candidate.meaning, line);
      if (event === null) continue;
      const key = String(candidate.key(line));
      if (!found.has(key)) found.set(key, []);
      found.get(key)!.push({ record: line.record, line, candidate, event });
    }
  }
  return [...found.values()].map((links) =>
    links.sort((a, b) => a.record - b.record).slice(0, SAMPLE.lines),
  );
}

/** How little a chain of clocks looks like one: falls, own events that do not add one. */
function cost(
  chain: readonly Link[],
  without: (candidate: Candidate) => boolean = () => false,
): number {
  let sum = 0;
  let before: number | null = null;
  for (const { line, candidate, event } of chain) {
    if (without(candidate)) continue;
    const now = clockOf(line.values[candidate.meaning.slots.clock]);
    if (Number.isNaN(now)) {
      sum += 1;
      continue;
    }
    const step = before === null ? 1 : now - before;
    // A new trial in the same file begins again.
    if (step < 0) sum += now <= 2 ? 0.5 : 2;
    else if (event === 'receive') sum += step === 0 ? 0.3 : step > 300 ? 1 : 0;
    else sum += step === 1 ? 0 : step === 0 ? 0.3 : 0.5;
    before = now;
  }
  return sum;
}

const total = (all: readonly Link[][], without?: (candidate: Candidate) => boolean) =>
  all.reduce((sum, chain) => sum + cost(chain, without), 0);

/** Chooses between the numbers of a line that may be its clock by the chain that they make. */
function settle(candidates: readonly Candidate[]): void {
  const all = chains(candidates);
  for (let round = 0; round < 2; round++) {
    for (const { meaning, clocks: slots } of candidates) {
      if (slots.length < 2) continue;
      const first = meaning.slots.clock;
      let best = total(all) - (round === 0 ? meaning.shape.lines.length * 0.01 : 0);
      let choice = first;
      for (const slot of slots.slice(0, 4)) {
        if (slot === first) continue;
        meaning.slots.clock = slot;
        const now = total(all);
        if (now < best - 0.5) [best, choice] = [now, slot];
      }
      meaning.slots.clock = choice;
    }
  }
}

const verb = ({ meaning }: Candidate) => meaning.shape.said?.word.toLowerCase() ?? '';

/** Leaves out rows that say that a message came, where others say that it was taken. */
function withoutArrivals(candidates: Candidate[]): Candidate[] {
  const receives = candidates.filter(({ meaning }) => meaning.event === 'receive');
  const verbs = [
    ...new Set(receives.map((one) => (isArrival(one.meaning.shape.key) ? '+' : '') + verb(one))),
  ];
  let kept = candidates;
  for (const word of verbs) {
    const is = (one: Candidate) =>
      receives.includes(one) && (isArrival(one.meaning.shape.key) ? '+' : '') + verb(one) === word;
    const count = (some: Candidate[]) =>
      some.reduce((sum, { meaning }) => sum + meaning.shape.lines.length, 0);
    const those = count(kept.filter(is));
    const others = count(kept.filter((one) => receives.includes(one) && !is(one)));
    if (those === 0 || others < those * 0.3) continue;
    const all = chains(kept);
    const rows = all.flat().filter(({ candidate }) => is(candidate)).length;
    const gain = total(all) - total(all, is);
    const isSaid = word.startsWith('+') && Math.abs(those - others) < 0.1 * those;
    if (gain > rows * 0.25 || (isSaid && gain > -0.2 * rows)) kept = kept.filter((one) => !is(one));
  }
  return kept;
}

/** Leaves out shapes whose words only perhaps name an event, and that break the chain. */
function withoutStrangers(candidates: Candidate[]): Candidate[] {
  let kept = candidates;
  const word = (one: Candidate) => `${one.meaning.event} ${verb(one)}`;
  const doubted = candidates.filter(
    ({ meaning: { shape } }) => shape.separator === null && (shape.said?.weight ?? 0) < 3,
  );
  // All shapes of one word stand or fall together: one of two lines alone proves nothing.
  for (const name of new Set(doubted.map(word))) {
    const is = (one: Candidate) => doubted.includes(one) && word(one) === name;
    if (kept.every(is)) continue;
    const all = chains(kept);
    const rows = all.flat().filter(({ candidate }) => is(candidate)).length;
    const gain = total(all) - total(all, is);
    if (gain > rows * 0.2) kept = kept.filter((one) => !is(one));
  }
  return kept;
}

/** Where nothing is internal, the quieter of two words that receive is, if no clock jumps there. */
function withQuiet(candidates: Candidate[]): void {
  const worded = candidates.filter(({ meaning }) => meaning.shape.separator === null);
  if (worded.some(({ meaning }) => meaning.event === 'internal')) return;
  const receives = worded.filter(({ meaning }) => meaning.event === 'receive');
  const loudest = Math.max(...receives.map(({ meaning }) => meaning.shape.said?.weight ?? 0));
  const quiet = receives.filter(({ meaning }) => (meaning.shape.said?.weight ?? 0) < loudest);
  if (quiet.length === 0) return;
  let [rows, jumps] = [0, 0];
  for (const chain of chains(candidates)) {
    for (let n = 1; n < chain.length; n++) {
      const [one, two] = [chain[n - 1]!, chain[n]!];
      if (!quiet.includes(two.candidate)) continue;
      rows++;
      if (clockAt(two) - clockAt(one) > 1) jumps++;
    }
  }
  if (rows < 10 || jumps > 0.02 * rows) return;
  for (const { meaning } of quiet) {
    meaning.event = 'internal';
    meaning.shape.said!.event = 'internal';
  }
}

const clockAt = ({ line, candidate }: Link) => clockOf(line.values[candidate.meaning.slots.clock]);

/** A number names the machine only if all its rows have one. */
function agreeOnMachines(meanings: readonly Meaning[]): void {
  const all = meanings.reduce((sum, { shape }) => sum + shape.lines.length, 0);
  const named = meanings.filter(({ slots }) => slots.machine >= 0);
  const share = named.reduce((sum, { shape }) => sum + shape.lines.length, 0) / all;
  if (share < 0.9) for (const { slots } of named) slots.machine = -1;
}

/** Shapes that differ in words only have the same slots: those of the commonest. */
function alike(meanings: readonly Meaning[]): void {
  const first = new Map<string, Meaning>();
  for (const meaning of meanings) {
    const { shape, event } = meaning;
    if (shape.separator !== null) continue;
    const key =
      `${event} ${shape.slots.map(({ kind }) => kind).join()} ` +
      shape.parts.map((part) => part.replace(/[A-Za-z]+/g, 'a')).join('\u0001');
    const same = first.get(key);
    if (!same) first.set(key, meaning);
    else meaning.slots = { ...same.slots };
  }
}

/** Adds shapes whose words say nothing, if they fill gaps of the chain. */
function withUnnamed(chosen: Candidate[], others: readonly Candidate[]): Candidate[] {
  let kept = chosen;
  for (const candidate of others.slice(0, 12)) {
    const { meaning } = candidate;
    if (meaning.event !== null || isNoEvent(meaning.shape.key)) continue;
    if (meaning.shape.separator !== null) continue;
    const rows = kept.reduce((sum, one) => sum + one.meaning.shape.lines.length, 0);
    if (meaning.shape.lines.length < Math.max(3, rows * 0.02)) continue;
    const has = (event: TickEvent) =>
      kept.some((one) => one.meaning.event === event || one.meaning.slots.event >= 0);
    if (has('receive') && has('internal') && has('send')) break;
    const before = total(chains(kept));
    meaning.event = 'receive';
    const jumps = jumpsOf(candidate, kept);
    meaning.event =
      jumps > 0.08 && !has('receive') ? 'receive' : !has('internal') ? 'internal' : 'send';
    const after = total(chains([...kept, candidate]));
    if (kept.length > 0 && after > before + meaning.shape.lines.length * 0.05) meaning.event = null;
    else kept = [...kept, candidate];
  }
  return kept;
}

/** The share of a candidate's lines at which the clock goes up by more than one. */
function jumpsOf(candidate: Candidate, others: Candidate[]): number {
  let [jumps, lines] = [0, 0];
  for (const chain of chains([...others, candidate])) {
    for (let n = 1; n < chain.length; n++) {
      const [one, two] = [chain[n - 1]!, chain[n]!];
      if (two.candidate !== candidate) continue;
      lines++;
      if (clockAt(two) - clockAt(one) > 1) jumps++;
    }
  }
  return jumps / (lines || 1);
}
