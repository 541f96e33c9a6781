/** A run in words: what its configuration was, and what was done to it. */
import { listed, rateWords } from '../cli/terminal.ts';
import type { Run } from '../frames/load.ts';
import { otherThanExercise } from '../model/run.ts';
import { about, percent } from './findings.ts';

/** What the network of a virtual run does, unless it is perfect. */
function networkOf({ run }: Run): string {
  if (run.kind !== 'virtual') return '';
  const { latency = 'constant:0', loss = 0, reorder = false } = run;
  return (latency === 'constant:0' ? '' : `, latency ${latency} ms`)
    + (loss === 0 ? '' : `, ${percent(loss)} of messages lost`)
    + (reorder === false ? '' : ', messages overtake each other');
}

/** In what the rules of a run differ from the exercise's: 'take newest, queue_max 5'. */
function knobWords({ run }: Run): string {
  if (run.kind === 'foreign') return '';
  const { both, ...knobs } = otherThanExercise(run);
  return [...Object.entries(knobs).map(([name, value]) => (value === true ? name
    : `${name} ${String(value)}`)), ...(both === undefined ? [] : [`both ${about(both)}`])]
    .join(', ');
}

/** Why theory, which knows the exercise alone, may not be asked; empty where it may. */
export function theoryDoubts(run: Run): string {
  const isDisturbed = run.run.kind !== 'foreign' && (run.run.faults ?? []).length > 0;
  const doubts = [networkOf(run).slice(2), knobWords(run), isDisturbed ? 'faults' : '']
    .filter((words) => words !== '');
  return doubts.length === 0 ? '' : ` Theory knows the exercise alone, without ${
    doubts.join(' and ')}.`;
}

/** A run in one sentence. */
export function describe(run: Run): string {
  const { speed, machines, rates_hz, seed, internal, kind, ended, start_us } = run.run;
  const fast = speed === 1 ? '' : `, ${about(speed)} times as fast`;
  const begun = new Date((start_us ?? 0) / 1000).toISOString().slice(0, 16).replace('T', ' ');
  const knobs = knobWords(run);
  const when = kind === 'virtual' ? `in virtual time${networkOf(run)}`
    : kind === 'foreign' ? 'from the logs of others' : `over sockets${fast}, recorded ${begun} UTC`;
  const rates = rates_hz.every((rate_hz) => rate_hz === null) ? 'unknown rates'
    : machines > 12 ? `${rateWords(rates_hz)} ticks a second`
    : `${listed(rates_hz.map((rate_hz) => rate_hz ?? '?'))} ticks a second`;
  return `${run.name}: ${machines} machine${machines === 1 ? '' : 's'} at ${rates}`
    + (seed === null ? '' : `, seed ${seed}`) + (internal === null ? '' : `, internal ${internal}`)
    + (knobs && `, ${knobs}`) + `; ${about(run.end_s)} s ${when}.`
    + (ended === 'finished' || ended === null || ended === 'imported' ? '' : ` Ended: ${ended}.`);
}

/** Of an imported run the rule that its rows show, in the words of the import. */
export function inferredRule({ run }: Run): string {
  if (run.kind !== 'foreign') return '';
  const { rule } = (run.foreign ?? {}) as { rule?: { words?: string } };
  const words = rule?.words;
  return words ? ` The rule that they show: ${words.replace(/\.?$/, '.')}` : '';
}
