/**
 * The one wrap of the package cephes, and what is made of it: the interval of a mean.
 *
 * Loading cephes compiles its WebAssembly, 25 ms. Only the first call of a function here does that,
 * so that who imports this file and asks for nothing pays nothing.
 */
import { createRequire } from 'node:module';

/** What is used of it; the package's "exports" hide its types. */
interface Cephes {
  /** Distribution function of the standard normal. */
  ndtr(z: number): number;
  /** Quantile of Student's t. */
  stdtri(freedom: number, p: number): number;
}

let loaded: Cephes | undefined;
const cephes = (): Cephes =>
  (loaded ??= createRequire(import.meta.url)('cephes') as Cephes);

/** P(Z ≤ z) of a standard normal Z. */
export const normalBelow = (z: number): number => cephes().ndtr(z);

/**
 * Half the 95 % interval of a mean over `runs` independent values, in their standard deviations:
 * t/√runs, t of Student with runs − 1 degrees of freedom. Of one value it is unknown: null.
 */
export const intervalReach = (runs: number): number | null =>
  (runs > 1 ? cephes().stdtri(runs - 1, 0.975) / Math.sqrt(runs) : null);

/**
 * Mean and half its 95 % interval, NaN where there are fewer than two values.
 * @example meanWithInterval([1, 2, 3]) // { mean: 2, interval: 2.48 }
 */
export function meanWithInterval(values: number[]): { mean: number; interval: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (values.length - 1));
  return { mean, interval: (intervalReach(values.length) ?? NaN) * deviation };
}
