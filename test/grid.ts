/** The grid on which sweeps are held against each other, here and in test/system. */
import type { DataFrame } from 'nodejs-polars';
import * as assert from 'uvu/assert';
import type { SweepOptions } from '../sweep.ts';

export const GRID: SweepOptions = {
  rates_hz: [[1, 4, 6], [2, 4], [3, 0.5, 5, 1]], internal: [0.2, 0.7], duration_s: [5, 20],
  latency: ['constant:0', 'exponential:50'], loss: 0.1, runs: 7, seed: 3,
};

/** Holds two frames to the same columns and rows. */
export function same(one: DataFrame, other: DataFrame, what: string): void {
  assert.equal(one.columns, other.columns, what);
  assert.equal(one.shape, other.shape, what);
  assert.ok(one.frameEqual(other, true), `${what}: the rows differ`);
}
