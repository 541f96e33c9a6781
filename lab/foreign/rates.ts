/** How often a machine ticks: by what its file says, by its name, and by its pace. */
import type { Text } from './files.ts';
import type { Read } from './patterns.ts';
import type { Machine } from './rows.ts';

export interface Rate {
  /** Ticks a second; null if nothing tells. */
  rate_hz: number | null;
  from: 'text' | 'name' | 'pace' | 'option' | null;
  /** Rows over time; null without times. */
  pace_hz: number | null;
  /** The text counts ticks a minute. */
  minutes: boolean;
}

const NUMBER = String.raw`(\d+(?:\.\d+)?)`;
const SAID = [
  new RegExp(
    String.raw`(?:rate|speed|freq(?:uency)?|hz|ticks?|clockspeed|tps|period|interval)` +
      String.raw`(?: ?\([^)]*\))?["']?\s*(?:is|of|set to|=|:|,|-|_)?\s*["']?${NUMBER}`,
    'i',
  ),
  new RegExp(
    String.raw`${NUMBER}\s*(?:hz|ticks?\b|instructions?|ops|cycles|events?\s*(?:per|\/)|per sec)`,
    'i',
  ),
];
const HEAD = 30;
/** A machine that is busy or sleeps in addition ticks so much slower than its text says. */
const NEAR = { least: 0.6, most: 1.35 };

/** Rows over time: how often the machine ticked. */
export function pace_hz({ events }: Machine): number | null {
  const [first, last] = [events[0]?.time_us ?? NaN, events.at(-1)?.time_us ?? NaN];
  const pace = (events.length - 1) / ((last - first) / 1e6);
  return events.length > 4 && pace > 0 && Number.isFinite(pace) ? pace : null;
}

const isNear = (rate: number, pace: number) => pace / rate > NEAR.least && pace / rate < NEAR.most;

/** @param stated what a person says: a pattern whose first group is the rate */
export function rateOf(
  machine: Machine,
  texts: readonly Text[],
  { taken }: Read,
  stated?: RegExp,
): Rate {
  const text = texts[machine.text]!;
  const pace = pace_hz(machine);
  const head: string[] = [];
  for (let n = 0; n < text.records.length && head.length < HEAD; n++) {
    if (!taken[machine.text]![n]) head.push(text.records[n]!.slice(0, 400));
  }
  if (stated) {
    const found = [text.file, ...head, text.records[0] ?? '']
      .map((line) => stated.exec(line)?.[1])
      .find((found) => Number(found) > 0);
    return {
      rate_hz: found ? Number(found) : pace && rounded(pace),
      pace_hz: pace,
      from: found ? 'option' : pace ? 'pace' : null,
      minutes: false,
    };
  }
  const said = head
    .flatMap((line) => SAID.flatMap((form) => form.exec(line)?.[1] ?? []))
    .map(Number)
    .filter((rate) => rate > 0 && rate < 1e4);
  const name = text.file.split('/').at(-1)!;
  const inName = SAID.flatMap((form) => form.exec(name.replace(/[_-]/g, ' '))?.[1] ?? [])
    .map(Number)
    .filter((rate) => rate > 0 && rate < 1e4);
  const all = [
    ...said.map((rate) => ({ rate, from: 'text' as const })),
    ...inName.map((rate) => ({ rate, from: 'name' as const })),
  ];
  if (pace === null) {
    const [first] = all;
    return {
      rate_hz: first?.rate ?? null,
      from: first?.from ?? null,
      pace_hz: null,
      minutes: false,
    };
  }
  const fit = all.find(({ rate }) => isNear(rate, pace));
  if (fit) return { rate_hz: fit.rate, from: fit.from, pace_hz: pace, minutes: false };
  const minute = all.find(({ rate }) => isNear(rate / 60, pace));
  if (minute) return { rate_hz: minute.rate / 60, from: minute.from, pace_hz: pace, minutes: true };
  return { rate_hz: rounded(pace), from: 'pace', pace_hz: pace, minutes: false };
}

/** A whole number of ticks a second, if the pace is near one; else the pace itself. */
function rounded(pace: number): number {
  const whole = Math.round(pace);
  return whole >= 1 && Math.abs(pace - whole) < 0.12 * whole ? whole : Number(pace.toPrecision(3));
}
