/** Machines of a class put to the test: a few configurations, each with its verdict. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseFault } from '../model/faults.ts';
import { type Configuration, configure, type ConfigureOptions } from '../model/run.ts';
import type { WireName } from './protocol.ts';
import { launch } from './supervise.ts';
import { judge } from './verdict.ts';

/** What a machine has to stand. */
export interface Trial {
  name: string;
  configuration: Configuration;
}

export interface Grade {
  trial: string;
  passed: boolean;
  ended: string;
  /** How many rows break a rule, by rule; and the first of them in words. */
  counts: Record<string, number>;
  first: string;
  /** What the machines said to a person. */
  notes: string[];
}

const TRIAL_S = 30; // Model seconds: a hundred ticks and more, of which chance shows every kind.
const NOTES_MAX = 5;

/** @param speed model seconds in a real one */
export function trials(seed: number, speed: number): Trial[] {
  const trial = (
    name: string, more: { rates_hz: number[] } | { rates_range: [number, number] },
    machines: number, faults: string[] = [],
  ): Trial => {
    const options = { seed, machines, internal: 0.7, duration_s: TRIAL_S, speed, ...more };
    return { name, configuration: { ...configure(options satisfies ConfigureOptions),
      ...(faults.length > 0 && { faults: faults.map(parseFault) }) } };
  };
  return [
    trial('three machines, rates drawn', { rates_range: [1, 6] }, 3),
    trial('1-6-6: a queue that grows', { rates_hz: [1, 6, 6] }, 3),
    trial('five machines', { rates_range: [1, 6] }, 5),
    trial('machine 1 is paused', { rates_hz: [3, 4, 5] }, 3, ['pause 1 at 10 for 6']),
    trial('machine 1 is killed', { rates_hz: [3, 4, 5] }, 3, ['crash 1 at 15']),
  ];
}

/** Runs one trial in a folder that is gone afterwards. */
export async function grade(
  { name, configuration }: Trial, commands: ReadonlyMap<number, string> | string,
  stop: AbortSignal, wire: WireName = 'tcp',
): Promise<Grade> {
  const folder = mkdtempSync(join(tmpdir(), 'lab-grade-'));
  const notes: string[] = [];
  const replace = typeof commands !== 'string' ? commands
    : new Map(configuration.rates_hz.map((_, id) => [id, commands]));
  try {
    const { ended, hasBegun } = await launch({
      configuration, folder, host: '127.0.0.1', port: 0, wire, replace, stop,
      watch: { note: (text) => void notes.push(text), up: () => {}, begun: () => {} },
    });
    if (!hasBegun) {
      return { trial: name, passed: false, ended, counts: {}, first: notes[0] ?? '', notes };
    }
    const { consistent, counts, violations } = judge(folder);
    const [worst] = violations;
    return {
      trial: name, passed: consistent && ended === 'finished', ended, counts,
      first: worst ? `${worst.file}:${worst.line ?? ''} ${worst.text}` : '',
      notes: notes.slice(0, NOTES_MAX),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
