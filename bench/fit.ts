/**
 * Fits what the formulas of lab/theory leave out to long sweeps, and writes its coefficients.
 *
 *   npx tsx bench/fit.ts bench/theory-fit.jsonl bench/theory-equal.jsonl
 *   npx tsx bench/theory.ts --fit 900 mine.jsonl                settings like those, measured anew
 *
 * The 2081 settings of theory-fit.jsonl and the equal ones were measured by an independent
 * simulator of the same rule in C, not by the lab; the two grids that the result is held against,
 * theory.jsonl and theory-unseen.jsonl, by the lab's sweep. Neither is looked at here.
 *
 * Three quantities, one after the other, each with the fitted ones before it: the gain of the
 * front, the lag of the fastest machine, the lag of every other. Each is a formula times a factor
 * whose logarithm is quadratic in some traits. Terms are taken in one by one, always the one that
 * says most about what is left (orthogonal matching pursuit: Pati, Rezaiifar, Krishnaprasad, 1993).
 * What is made small is the relative error, each setting counting once. Errors are shown of
 * settings that were left out, a fifth at a time.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { equalTerms } from '../lab/theory/equal.ts';
import {
  type Front, frontOf, frontTraits, pairLagHeld, type Scene, sceneOf,
} from '../lab/theory/front.ts';
import { lagTraits, lossBetween } from '../lab/theory/lag.ts';
import { type Fit, fitted, scaled, type Traits } from '../lab/theory/measured.ts';

/** How many terms each fit gets, of three machines and of more: more are little better outside. */
const TERMS = {
  few: { gain: 10, fastest: 20, lag: 30 }, many: { gain: 26, fastest: 55, lag: 110 },
};
/** Keeps coefficients small that nothing holds. */
const RIDGE = 1e-7;
const FOLDS = 5;
/** Nearer to the boundary a run is never long enough. */
const LOAD_MAX = 0.975;

/** One number that is known, what it should come from, and how a factor makes it. */
interface Case {
  traits: Traits;
  /** The logarithm of the factor that would be right. */
  target: number;
  /** What the quantity is relative to a change of that logarithm. */
  weight: number;
  fold: number;
  /** The relative error if the logarithm is this. */
  error(logarithm: number): number;
}

/** Solves a positive definite system by Cholesky. */
function solve(matrix: number[][], right: number[]): number[] {
  const n = right.length;
  const L = matrix.map((row) => [...row]);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = L[i]![j]!;
      for (let k = 0; k < j; k++) sum -= L[i]![k]! * L[j]![k]!;
      L[i]![j] = i === j ? Math.sqrt(sum) : sum / L[j]![j]!;
    }
  }
  const x = [...right];
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= L[i]![k]! * x[k]!;
    x[i]! /= L[i]![i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= L[k]![i]! * x[k]!;
    x[i]! /= L[i]![i]!;
  }
  return x;
}

const dot = (a: Float64Array, b: Float64Array) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** Mean, deviation and range of each trait. */
function scales(cases: Case[]): Fit['traits'] {
  return Object.fromEntries(Object.keys(cases[0]!.traits).map((name) => {
    const values = cases.map(({ traits }) => traits[name]!);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const deviation = Math.sqrt(
      values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length) || 1;
    return [name, [mean, deviation, Math.min(...values), Math.max(...values)]];
  }));
}

/** Coefficients of the chosen columns by least squares. */
function coefficients(columns: Float64Array[], target: Float64Array, ridge = RIDGE): number[] {
  const matrix = columns.map((a, i) => columns.map((b, j) =>
    dot(a, b) + (i === j ? ridge * target.length : 0)));
  return solve(matrix, columns.map((column) => dot(column, target)));
}

/** Takes in terms one by one. */
function pursue(cases: Case[], terms: number): Fit {
  const traits = scales(cases);
  const names = Object.keys(traits);
  const factors: string[][] = [[], ...names.map((name) => [name]),
    ...names.flatMap((a, n) => names.slice(n).map((b) => [a, b]))];
  const columnOf = (of: string[]) => Float64Array.from(cases, (one) => of.reduce((product, name) =>
    product * scaled({ traits, terms: [] }, name, one.traits[name]!), one.weight));
  const columns = factors.map(columnOf);
  const target = Float64Array.from(cases, ({ target, weight }) => target * weight);
  const chosen = [0];
  // What is left of each column once the chosen ones are taken out of it.
  const left = columns.map((column) => column.slice());
  const rest = target.slice();
  for (let place = 0; ; place = chosen.at(-1)!) {
    const unit = left[place]!.slice();
    const length = Math.sqrt(dot(unit, unit));
    for (let i = 0; i < unit.length; i++) unit[i]! /= length;
    for (const column of [...left, rest]) {
      const share = dot(column, unit);
      for (let i = 0; i < unit.length; i++) column[i]! -= share * unit[i]!;
    }
    if (chosen.length >= terms) break;
    const says = left.map((column, n) => {
      const size = dot(column, column);
      return chosen.includes(n) || size < 1e-6 * dot(columns[n]!, columns[n]!) ? 0
        : dot(column, rest) ** 2 / size;
    });
    chosen.push(says.indexOf(Math.max(...says)));
  }
  const found = coefficients(chosen.map((n) => columns[n]!), target);
  return { traits, terms: chosen.map((n, i) => [found[i]!, ...factors[n]!]) };
}

/** Errors of settings that a fit has not seen. */
function validated(name: string, cases: Case[], terms: number): void {
  const errors = Array.from({ length: FOLDS }, (_, fold) => {
    const fit = pursue(cases.filter((one) => one.fold !== fold), terms);
    return cases.filter((one) => one.fold === fold)
      .map((one) => Math.abs(one.error(fitted(fit, one.traits))));
  }).flat().sort((a, b) => a - b);
  const mean = errors.reduce((sum, x) => sum + x, 0) / errors.length;
  const at = (share: number) => (100 * errors[Math.floor(share * (errors.length - 1))]!).toFixed(1);
  console.log(`${name}: ${cases.length} numbers, ${terms} terms, left out: mean `
    + `${(100 * mean).toFixed(2)} %, 95 in 100 within ${at(0.95)} %, worst ${at(1)} %`);
}

interface Line {
  rates_hz: number[];
  internal: number;
  growth_hz: { mean: number };
  lags: { rate_hz: number; mean: number }[];
}

const loadOf = ({ send, sum_hz, free_hz, rates_hz }: Scene, id: number) =>
  (send * (sum_hz - free_hz[id]!)) / rates_hz[id]!;

/** The three fits of some settings. */
function fitsOf(lines: Line[], terms: (typeof TERMS)['few'], name: string) {
  const scenes = lines.map((line) => sceneOf(line));
  // Where it is exact nothing is to be fitted.
  const open = [...lines.keys()].filter((n) => frontOf(lines[n]!).basis !== 'exact');
  const gains: Case[] = open.filter((n) => scenes[n]!.pair_gain > 0).map((n) => {
    const { pair_gain, top_hz } = scenes[n]!;
    const truth = Math.max(1e-6, lines[n]!.growth_hz.mean / top_hz - 1);
    return { traits: frontTraits(scenes[n]!), target: Math.log(truth / pair_gain),
      weight: truth / (1 + truth), fold: n % FOLDS,
      error: (x) => (1 + pair_gain * Math.exp(x)) / (1 + truth) - 1 };
  });
  validated(`${name}, growth`, gains, terms.gain);
  const gain = pursue(gains, terms.gain);
  const gainOf = (scene: Scene) =>
    Math.min(0.99, scene.pair_gain * Math.exp(fitted(gain, frontTraits(scene))));
  const tops: Case[] = open.map((n) => {
    const [scene, lags] = [scenes[n]!, lines[n]!.lags];
    const traits = { ...frontTraits(scene), gain: Math.log1p(gainOf(scene)) };
    const truth = lags.find(({ rate_hz }) => rate_hz === scene.top_hz)!.mean;
    return { traits, target: Math.log(truth / pairLagHeld(traits)), weight: 1, fold: n % FOLDS,
      error: (x) => (pairLagHeld(traits) * Math.exp(x)) / truth - 1 };
  });
  validated(`${name}, lag of the fastest`, tops, terms.fastest);
  const fastest = pursue(tops, terms.fastest);
  const others: Case[] = open.flatMap((n) => {
    const scene = scenes[n]!;
    const traits = { ...frontTraits(scene), gain: Math.log1p(gainOf(scene)) };
    const front: Front = { ...scene, growth_hz: scene.top_hz * (1 + gainOf(scene)),
      fastest_lag: pairLagHeld(traits) * Math.exp(fitted(fastest, traits)), basis: 'fitted' };
    const shared = frontTraits(front);
    const slower = lines[n]!.lags.filter(({ rate_hz }) => rate_hz < scene.top_hz
      && loadOf(scene, scene.rates_hz.indexOf(rate_hz)) < LOAD_MAX);
    return slower.map(({ rate_hz, mean }) => {
      const id = scene.rates_hz.indexOf(rate_hz);
      const loss = lossBetween(front, id);
      return { traits: lagTraits(front, id, shared), target: Math.log(mean / loss),
        weight: 1 / Math.sqrt(slower.length), fold: n % FOLDS,
        error: (x: number) => (loss * Math.exp(x)) / mean - 1 };
    });
  });
  validated(`${name}, lags`, others, terms.lag);
  return { gain, fastest, lag: pursue(others, terms.lag) };
}

interface EqualLine {
  machines: number;
  internal: number;
  growth: number;
  mean_lag: number;
}

/** Factor and lag of many equal machines: see `manyEqual`. */
function equalFit(lines: EqualLine[]) {
  const columns = equalTerms(5, 0.5).map((_, nth) => Float64Array.from(lines,
    ({ machines, internal }) => equalTerms(machines, internal)[nth]!));
  const all = Float64Array.from(lines, ({ internal }) => (1 - internal) / 3);
  // What a change of the factor does to the growth; near the limit hardly anything.
  const weights = lines.map(({ growth }, n) => Math.max(0.003, 1 - growth / (2 - all[n]!)));
  const weighed = (column: Float64Array) => column.map((x, n) => x * weights[n]!);
  const factor = Float64Array.from(lines, ({ machines, growth }, n) =>
    Math.log((((2 - all[n]!) / growth - 1) * all[n]! * machines) / (1 - all[n]!)));
  return {
    factor: coefficients(columns.map(weighed), weighed(factor), 1e-12),
    lag: coefficients(columns, Float64Array.from(lines, ({ mean_lag }) => Math.log(mean_lag)),
      1e-12),
  };
}

const { positionals: [file, equalFile] } = parseArgs({ allowPositionals: true });
const linesOf = (name: string) =>
  readFileSync(name, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const lines = linesOf(file!) as Line[];
const equal = equalFit(linesOf(equalFile!));
const fits = {
  FEW: fitsOf(lines.filter(({ rates_hz }) => rates_hz.length === 3), TERMS.few, 'three machines'),
  MANY: fitsOf(lines.filter(({ rates_hz }) => rates_hz.length > 3), TERMS.many, 'more'),
};
const short = (x: number) => String(Number(x.toPrecision(6)));
const text = ({ traits, terms }: Fit) => `{
    traits: {
${Object.entries(traits).map(([name, numbers]) =>
    `      ${name}: [${numbers.map(short).join(', ')}],\n`).join('')}    },
    terms: [
${Array.from({ length: Math.ceil(terms.length / 2) }, (_, row) => `      ${
    terms.slice(2 * row, 2 * row + 2).map(([coefficient, ...names]) =>
      `[${[short(coefficient), ...names.map((name) => `'${name}'`)].join(', ')}],`).join(' ')}\n`)
    .join('')}    ],\n  }`;
const numbers = (list: number[]) => `[\n${[0, 3, 6, 9].map((first) =>
  `    ${list.slice(first, first + 3).map(short).join(', ')},\n`).join('')}  ]`;
writeFileSync(new URL('../lab/theory/coefficients.ts', import.meta.url), `/**
 * Made by bench/fit.ts of ${lines.length} settings; see measured.ts. FEW: three machines,
 * MANY: more.
 */
import type { Fit } from './measured.ts';

export interface Fits {
  /** Of the front's gain c/R − 1, of the lag of the fastest machine, and of every other's lag. */
  gain: Fit;
  fastest: Fit;
  lag: Fit;
}

/** Five equal machines or more: see \`manyEqual\`. */
export const EQUAL = {
  factor: ${numbers(equal.factor)},
  lag: ${numbers(equal.lag)},
};
${Object.entries(fits).map(([name, { gain, fastest, lag }]) => `
export const ${name}: Fits = {
  gain: ${text(gain)},
  fastest: ${text(fastest)},
  lag: ${text(lag)},
};
`).join('')}`);
