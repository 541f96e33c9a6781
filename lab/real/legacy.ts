/** What other rooms still take from machine.ts; it goes when they have moved. */
import {
  configure as draw, type Configuration, type Knobs,
} from '../model/run.ts';

export {
  atLeast, configured, isMain, modelOptions, positive, probability, rateList, script, versions,
  whole, type ModelOptions,
} from '../cli/options.ts';
export { writeRun } from '../cli/folder.ts';
export type { Configuration } from '../model/run.ts';
export type { Stream } from '../model/chance.ts';
export type { OwnRecord as RunRecord } from '../model/record.ts';
export { CLOCK_MAX, type Machine, type Step, type TickEvent } from '../model/rule.ts';

export function configure(options: Partial<Knobs> & {
  seed: number; machines: number; rates_hz?: number[] | undefined; rates_range?: [number, number] | null;
  min_rate_hz?: number; max_rate_hz?: number; internal: number; duration_s: number; speed?: number;
}): Configuration {
  const { rates_hz, rates_range, min_rate_hz, max_rate_hz, ...rest } = options;
  return draw({ ...rest, ...(rates_hz ? { rates_hz }
    : { rates_range: rates_range ?? [min_rate_hz!, max_rate_hz!] }) });
}
