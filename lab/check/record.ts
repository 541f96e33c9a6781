/** What run.json must say; see DESIGN.md. The checker believes none of it without a look. */

/** What run.json must say; see DESIGN.md. The last three are of virtual runs. */
export interface Run {
  seed: number;
  machines: number;
  rates_hz: readonly number[];
  phases: readonly number[];
  internal: number;
  duration_s: number;
  speed: number;
  kind: 'sockets' | 'virtual';
  start_us: number | null;
  ended: string | null;
  latency?: string;
  loss?: number;
  reorder?: boolean;
}

/** The message says in one line which file cannot be read, and why. */
export class Unreadable extends Error {}

export const LATENCY = /^(constant|uniform|exponential):([\d.e+-]+)(?:,([\d.e+-]+))?$/;

/** What run.json says, if that can be. @throws Unreadable if not */
export function parseRun(value: unknown, file: string): Run {
  const run = Object(value) as Run;
  const demand = (name: keyof Run, what: string, holds: boolean) => {
    if (!holds) throw new Unreadable(`${file}: ${name} is not ${what}`);
  };
  const number = (x: unknown, least: number, most = Infinity): x is number =>
    typeof x === 'number' && x >= least && x <= most && x < Infinity;
  const list = (x: unknown, holds: (item: number) => boolean) =>
    Array.isArray(x) && x.length === run.machines && x.every(holds);
  demand('seed', 'a number', number(run.seed, -Infinity));
  demand('machines', 'a count of 2 or more',
    Number.isInteger(run.machines) && number(run.machines, 2, 1e6));
  demand('rates_hz', `${run.machines} numbers above 0`,
    list(run.rates_hz, (rate_hz) => number(rate_hz, 0) && rate_hz > 0));
  demand('phases', `${run.machines} numbers from 0 to 1`,
    list(run.phases, (phase) => number(phase, 0, 1)));
  demand('internal', 'a number from 0 to 1', number(run.internal, 0, 1));
  demand('duration_s', 'a number above 0', number(run.duration_s, 0) && run.duration_s > 0);
  demand('speed', 'a number above 0', number(run.speed, 0) && run.speed > 0);
  demand('kind', '"sockets" or "virtual"', ['sockets', 'virtual'].includes(run.kind));
  demand('start_us', 'a time in µs or null', run.start_us === null || number(run.start_us, 0));
  demand('ended', 'a text or null', run.ended === null || typeof run.ended === 'string');
  demand('latency', 'like constant:5, uniform:1,9 or exponential:5',
    LATENCY.test(run.latency ?? 'constant:0'));
  demand('loss', 'a number from 0 to 1', number(run.loss ?? 0, 0, 1));
  demand('reorder', 'true or false', typeof (run.reorder ?? false) === 'boolean');
  return run;
}
