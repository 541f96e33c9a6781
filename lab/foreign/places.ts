/** Which rows are of one machine, and which machines of one run: by paths, names in rows, times. */
import { basename, dirname, extname } from 'node:path';
import type { Text } from './files.ts';
import type { Row } from './patterns.ts';
import { times_us } from './times.ts';

/** One machine's rows in one trial, in their order. */
export interface Unit {
  text: number;
  /** What it is called: in its rows, in its file's name. The first is shown. */
  names: string[];
  rows: Row[];
  time_us: Float64Array;
  absolute: boolean;
  /** Which of the trials in one file, from 0. */
  trial: number;
}

export interface Group {
  name: string;
  units: Unit[];
}

/** A machine's log falls back hardly ever; what does so is a server's or a table's. */
const FALLS_MAX = 0.3;
/** A clock that falls from here to the beginning begins another trial. */
const TRIAL_LEAST = 20;
const AGAIN_MOST = 0.25; // … if it is no more than so much of what it was.
const MACHINES_MAX = 40;

const MACHINE = new RegExp(
  '^(?:m|machines?|vms?|proc|process|p|node|client|server|id|log|clock|user|port|localhost' +
    '|pid|virtualmachine|model|player|peer|member|worker)$',
  'i',
);
const RUN = new RegExp(
  '^(?:run|trial|exp|experiment|test|rate|speed|clockspeed|hz|internal|max|min|prob|round' +
    '|seed|sim|t|n|v|variation|e|cv|duration|iter|attempt|set|case|version|day)$',
  'i',
);

// ── Units ────────────────────────────────────────────────────────────────────────────────────

/** Cuts the rows of all files into machines and trials; what is no machine's log is named. */
export function unitsOf(
  texts: readonly Text[],
  rows: readonly Row[],
): { units: Unit[]; dropped: { file: string; why: string }[] } {
  const dropped: { file: string; why: string }[] = [];
  const byText = new Map<number, Row[]>();
  for (const row of rows) {
    if (!byText.has(row.text)) byText.set(row.text, []);
    byText.get(row.text)!.push(row);
  }
  const units = [...byText].flatMap(([text, own]) => {
    const names = new Set(own.map(({ machine }) => machine));
    const unnamed = own.filter(({ machine }) => machine === null).length;
    // A word that only some rows have names no machine for the others.
    const parts =
      unnamed <= 0.05 * own.length && names.size >= 2 && names.size <= MACHINES_MAX
        ? [...names].map((name) => own.filter(({ machine }) => machine === name))
        : [own];
    const found = parts.flatMap((part) =>
      trialsOf(part).map((rows, trial) => unit(text, rows, trial)),
    );
    if (found.some(isNoLog)) {
      const why = "its clocks fall back: it is no machine's log";
      dropped.push({ file: texts[text]!.file, why });
      return [];
    }
    return found;
  });
  // A server's list of messages has one kind of event only, in a form of its own.
  const isOneKind = ({ rows: own }: Unit) =>
    own.length >= 20 && own.every(({ event }) => event === own[0]!.event);
  const usual = new Set(
    units
      .filter((one) => !isOneKind(one))
      .flatMap(({ rows: own }) => own.map(({ pattern }) => pattern)),
  );
  const others = units.filter(
    (one) => !isOneKind(one) || one.rows.some(({ pattern }) => usual.has(pattern)),
  );
  // A machine that others flood has nothing but receives: then it is no server's list.
  const kept = others.length < Math.max(2, units.length / 2) ? units : others;
  for (const { text } of units.filter((one) => !kept.includes(one))) {
    const why = "it has events of one kind only: it is no machine's log";
    dropped.push({ file: texts[text]!.file, why });
  }
  return { units: kept, dropped };
}

function unit(text: number, rows: Row[], trial: number): Unit {
  const { us, absolute } = times_us(rows.map(({ time }) => time));
  const names = new Set(rows.slice(0, 50).map(({ machine }) => machine));
  const name = names.size === 1 ? rows[0]!.machine : null;
  return { text, rows, trial, time_us: us, absolute, names: name === null ? [] : [name] };
}

/** A clock that begins again begins another trial; so does another word in the group `run`. */
function trialsOf(rows: Row[]): Row[][] {
  const low = (n: number) => (rows[n - 1]?.clock ?? 0) * AGAIN_MOST;
  const again = rows.map(
    ({ clock }, n) => n > 0 && rows[n - 1]!.clock >= TRIAL_LEAST && clock <= low(n),
  );
  // A clock that messages set falls back often: then only one that begins at the beginning counts.
  const often = again.filter(Boolean).length > rows.length * 0.02 + 1;
  const trials: Row[][] = [];
  for (const [n, row] of rows.entries()) {
    const begins =
      n === 0 || row.run !== rows[n - 1]!.run || (again[n]! && (row.clock <= 3 || !often));
    if (begins) trials.push([]);
    trials.at(-1)!.push(row);
  }
  return trials;
}

function isNoLog({ rows }: Unit): boolean {
  let falls = 0;
  for (let n = 1; n < rows.length; n++) if (rows[n]!.clock < rows[n - 1]!.clock) falls++;
  return falls > rows.length * FALLS_MAX && falls > 2;
}

// ── Groups ───────────────────────────────────────────────────────────────────────────────────

/** Some write each log twice, in two formats, or a table of all machines: one of them is enough. */
export function withoutTwins(
  texts: readonly Text[],
  groups: readonly Group[],
): { groups: Group[]; dropped: { file: string; why: string }[] } {
  const mark = ({ rows, time_us }: Unit) => {
    const first = rows.slice(0, 60);
    // Machines that only count are alike without being twins; then the time tells.
    const jumps = first.filter(({ clock }, n) => n > 0 && clock - first[n - 1]!.clock > 1).length;
    const when = jumps < 4 ? Math.floor(time_us[0]! / 1e6) : '';
    return rows.length < 8
      ? null
      : `${when} ${first.map(({ event, clock }) => `${event[0]}${clock}`).join()}`;
  };
  const richness = ({ units }: Group) =>
    units.length * 1000 +
    units.reduce(
      (sum, { rows }) =>
        sum +
        rows
          .slice(0, 50)
          .reduce(
            (fields, row) =>
              fields +
              row.peers.length +
              (row.queue === null ? 0 : 1) +
              (row.message === null ? 0 : 1) +
              (row.time ? 2 : 0),
            0,
          ) /
          units.length,
      0,
    );
  const seen = new Set<string>();
  const kept = new Set<Group>();
  const dropped: { file: string; why: string }[] = [];
  for (const group of [...groups].sort((a, b) => richness(b) - richness(a))) {
    const marks = group.units.map(mark);
    if (marks.every((one) => one !== null && seen.has(one))) {
      for (const { text } of group.units) {
        dropped.push({ file: texts[text]!.file, why: 'the same rows stand in another file' });
      }
      continue;
    }
    kept.add(group);
    for (const one of marks) if (one !== null) seen.add(one);
  }
  return { groups: groups.filter((group) => kept.has(group)), dropped };
}

interface Named {
  unit: Unit;
  folder: string;
  tokens: string[];
}

/**
 * The runs: units that belong together.
 * @param stated where a person says which part of the path is the run and which the machine
 */
export function groupsOf(
  texts: readonly Text[],
  units: readonly Unit[],
  stated: { run?: RegExp; machine?: RegExp } = {},
): Group[] {
  const groups: Group[] = [];
  const single: Unit[] = [];
  const shared = new Map<string, Unit[]>();
  for (const one of units) {
    const inFile = units.some(
      (other) => other.text === one.text && other.names[0] !== one.names[0],
    );
    const key = `${texts[one.text]!.file}${one.trial > 0 ? `-${one.trial + 1}` : ''}`;
    if (!inFile) single.push(one);
    else shared.set(key, [...(shared.get(key) ?? []), one]);
  }
  for (const [name, own] of shared) groups.push({ name: plainName(name), units: own });
  const extensions = new Set(single.map(({ text }) => extname(texts[text]!.file)));
  const named = single.map((one): Named => {
    const path = texts[one.text]!.file;
    const name = basename(path, extname(path));
    // Logs of two formats beside each other are two runs, of which one will be dropped as a twin.
    const made = extensions.size > 1 ? ` ${extname(path).slice(1)}` : '';
    return {
      unit: one,
      folder: `${dirname(path)}${made}${one.trial ? ` trial ${one.trial + 1}` : ''}`,
      tokens: name.match(/\d+|[A-Za-z]+|[^A-Za-z\d]+/g) ?? [name],
    };
  });
  if (stated.run || stated.machine) return [...groups, ...statedGroups(texts, named, stated)];
  const families = new Map<string, Named[]>();
  for (const one of named) {
    const kind = one.tokens.map((token) =>
      /^\d/.test(token) ? '#' : /^[A-Za-z]/.test(token) ? 'a' : token,
    );
    const key = kind.join('');
    if (!families.has(key)) families.set(key, []);
    families.get(key)!.push(one);
  }
  for (const family of families.values()) groups.push(...familyGroups(family));
  return mergeLone(groups).sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

const plainName = (text: string) =>
  text
    .replace(/\.[A-Za-z]+$/, '')
    .replace(/^\.\/?/, '')
    .replace(/[^A-Za-z0-9.]+/g, '-')
    .replace(/^-|-$/g, '') || 'run';

function statedGroups(
  texts: readonly Text[],
  named: readonly Named[],
  { run, machine }: { run?: RegExp; machine?: RegExp },
): Group[] {
  const groups = new Map<string, Unit[]>();
  for (const { unit, folder } of named) {
    const path = texts[unit.text]!.file;
    const found = run ? (run.exec(path)?.slice(1).filter(Boolean).join('-') ?? null) : folder;
    if (found === null) continue;
    const name = machine?.exec(path)?.[1];
    if (machine && name === undefined) continue;
    if (name !== undefined) unit.names = [name, ...unit.names];
    else unit.names.push(basename(path, extname(path)));
    const key = `${found}${unit.trial ? `-${unit.trial + 1}` : ''}`;
    groups.set(key, [...(groups.get(key) ?? []), unit]);
  }
  return [...groups].map(([name, units]) => ({ name: plainName(name), units }));
}

/** Runs among files whose names are made alike. */
function familyGroups(family: readonly Named[]): Group[] {
  const length = family[0]!.tokens.length;
  const peers = new Set(
    family.flatMap(({ unit }) => unit.rows.slice(0, 200).flatMap((row) => row.peers)),
  );
  let best: { at: number; score: number; share: number; groups: Map<string, Named[]> } | null =
    null;
  for (let at = 0; at < length; at++) {
    const values = new Set(family.map(({ tokens }) => tokens[at]!));
    if (values.size < 2 || !/^[A-Za-z\d]/.test([...values][0]!)) continue;
    const groups = by(
      family,
      (one) => `${one.folder}/${one.tokens.map((token, n) => (n === at ? '' : token)).join('')}`,
    );
    const inside = [...groups.values()].filter(
      (group) => group.length >= 2 && group.length <= MACHINES_MAX,
    );
    const share = inside.reduce((sum, group) => sum + group.length, 0) / family.length;
    const score = 3 * share + scoreOf(family, at, values, peers, inside);
    if (!best || score > best.score) best = { at, score, share, groups };
  }
  if (!best) return byTime(family, -1);
  const { at, share, groups } = best;
  for (const { unit, tokens } of family) unit.names.push(tokens[at]!);
  if (share < 0.5) return byTime(family, at);
  return [...groups].map(([key, group]) => ({
    name: plainName(key.replace(/^(.*) trial (\d+)(.*)$/, '$1$3-$2')),
    units: group.map(({ unit }) => unit),
  }));
}

const by = <T>(list: readonly T[], keyOf: (one: T) => string) => {
  const groups = new Map<string, T[]>();
  for (const one of list) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
};

/** How much a part of the names looks like the machine's own, beside the groups that it makes. */
function scoreOf(
  family: readonly Named[],
  at: number,
  values: ReadonlySet<string>,
  peers: ReadonlySet<string>,
  inside: readonly Named[][],
): number {
  const before =
    family[0]!.tokens
      .slice(0, at)
      .reverse()
      .find((token) => /^[A-Za-z]/.test(token)) ?? '';
  const isNumber = /^\d/.test([...values][0]!);
  const words = before.split(/(?=[A-Z][a-z])/).at(-1) ?? before;
  let score = MACHINE.test(words) || MACHINE.test(before) ? 1 : RUN.test(words) ? -1.5 : 0;
  const numbers = [...values].map(Number).sort((a, b) => a - b);
  const inRow = isNumber
    ? numbers.every((value, n) => n === 0 || value === numbers[n - 1]! + 1)
    : [...values].every((value) => value.length === 1);
  if (inRow && values.size <= 12) score += 0.5;
  if (!isNumber && !inRow) score -= 0.7;
  if (values.size > 12) score -= 1;
  if (
    [...values].filter((value) => peers.has(value)).length >= Math.min(2, peers.size) &&
    peers.size > 0
  ) {
    score += 1.5;
  }
  const named = family.filter(({ unit, tokens }) => unit.names[0] === tokens[at]).length;
  score += (2 * named) / family.length;
  if (
    new Set(
      inside.map((group) =>
        group
          .map(({ tokens }) => tokens[at])
          .sort()
          .join(),
      ),
    ).size === 1 &&
    inside.length > 1
  )
    score += 0.5;
  const overlaps = inside
    .filter((group) => group.length > 1)
    .map((group) => overlap(group[0]!.unit, group[1]!.unit))
    .filter((share) => share !== null);
  const good = overlaps.filter((share) => share > 0.3).length;
  return score + (overlaps.length > 0 ? (3 * good) / overlaps.length - 1.5 : 0);
}

/** The share of the shorter's time that two units have in common; null if times say nothing. */
function overlap(one: Unit, two: Unit): number | null {
  if (!one.absolute || !two.absolute) return null;
  const [a, b] = [span(one), span(two)];
  if (!a || !b) return null;
  const common = Math.min(a.to, b.to) - Math.max(a.from, b.from);
  return common / Math.max(1, Math.min(a.to - a.from, b.to - b.from));
}

function span({ time_us }: Unit): { from: number; to: number } | null {
  const [from, to] = [time_us[0]!, time_us.at(-1)!];
  return Number.isNaN(from) || Number.isNaN(to) ? null : { from, to };
}

/** Runs among files of which no part of the name tells: one folder, or one time. */
function byTime(family: readonly Named[], at: number): Group[] {
  return [...by(family, ({ folder }) => folder)].flatMap(([folder, own]): Group[] => {
    const tokens = new Set(own.map(({ tokens }) => tokens[at] ?? tokens.join('')));
    const units = own.map(({ unit }) => unit);
    if (at === -1) for (const { unit, tokens: all } of own) unit.names.push(all.join(''));
    if (tokens.size === own.length && own.length <= MACHINES_MAX) {
      return [{ name: plainName(folder), units }];
    }
    const runs: Unit[][] = [];
    const sorted = [...units].sort((a, b) => (span(a)?.from ?? 0) - (span(b)?.from ?? 0));
    for (const one of sorted) {
      const fits = runs.find((run) =>
        run.every(
          (other) => other.names.at(-1) !== one.names.at(-1) && (overlap(one, other) ?? 0) > 0.5,
        ),
      );
      if (fits) fits.push(one);
      else runs.push([one]);
    }
    return runs.map((run, n) => ({ name: plainName(`${folder}-${n + 1}`), units: run }));
  });
}

/** Machines that stand alone in groups of one folder are one run, if their names are apart. */
function mergeLone(groups: Group[]): Group[] {
  const lone = groups.filter(({ units }) => units.length === 1);
  if (lone.length < 2 || lone.length > 12 || lone.length < groups.length) return groups;
  const trials = new Set(lone.map(({ units }) => units[0]!.trial));
  if (trials.size > 1) return groups;
  return [
    {
      name: 'run',
      units: lone.map(({ units, name }) => {
        if (units[0]!.names.length === 0) units[0]!.names.push(name);
        return units[0]!;
      }),
    },
  ];
}
