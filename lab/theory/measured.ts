/**
 * What the formulas leave out, measured: a correction that is quadratic in a few traits.
 *
 * With three live machines and more, no formula here is right to a few percent: who is busy hangs
 * on who else is, messages to all make everybody busy at once, and the front is held by several.
 * The formulas say on what the truth depends and give its scale; the rest, a smooth factor near 1,
 * is **fitted** to 2081 long runs of an independent simulator (bench/fit.ts, theory-fit.jsonl) and
 * lies in coefficients.ts. So this part is no derivation: it says how large what was left out is,
 * not why. Between those settings it is as good as they are dense; beyond their range the traits
 * are held at its edge, and `predict` says that it is outside.
 *
 * How wrong it is where it was not fitted, mean and worst error of the mean lag:
 *     a fifth of the fitted settings, left out in turn:   N = 3 0.7 and 12 %, more 1.1 and 19 %
 *     the grid drawn before (theory.jsonl, 681 lags):     1.0 and 10.8 %, N = 3 0.9 and 3.7 %
 *     60 settings without a plan (theory-unseen.jsonl):   0.9 and 9.2 %, N = 3 0.7 and 2.3 %
 * The worst are machines close behind the fastest of many at internal near 0.9, whose lags are
 * about 1. The growth of the highest clock is within 0.7 %. The errors on the first grid, and on
 * other settings of the second kind, decided what was learnt from; the 60 were drawn and measured
 * when all was settled.
 */

/** Numbers that describe a setting or one of its machines, by name. */
export type Traits = Record<string, number>;

/** A fitted quadratic. Traits are brought to mean 0 and deviation 1 before they are multiplied. */
export interface Fit {
  /** For each trait: mean, deviation, and the least and largest value that it was fitted on. */
  traits: Record<string, [mean: number, deviation: number, low: number, high: number]>;
  /** Coefficient and its factors: none, one or two traits. */
  terms: [coefficient: number, ...factors: string[]][];
}

/** The value of a trait as a fit uses it: held within its range, then brought to its scale. */
export function scaled(fit: Fit, name: string, value: number): number {
  const [mean, deviation, low, high] = fit.traits[name]!;
  return (Math.min(Math.max(value, low), high) - mean) / deviation;
}

/** The logarithm of the factor that is missing. */
export function fitted(fit: Fit, traits: Traits): number {
  const values = new Map(Object.keys(fit.traits).map((name) =>
    [name, scaled(fit, name, traits[name]!)]));
  return fit.terms.reduce((sum, [coefficient, ...factors]) =>
    sum + factors.reduce((product, name) => product * values.get(name)!, coefficient), 0);
}
