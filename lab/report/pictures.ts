/** The one list of pictures of a run, over which the page, `--png` and notebooks loop. */
import type { Run } from '../frames/load.ts';
import { type Axes, type Chapter, chaptersOf } from './chapters.ts';
import { about, type Findings } from './findings.ts';
import {
  clocksPicture, eventsPicture, FIELDS_MOST, jumpsPicture, lagPicture, queuesPicture,
} from './runs.ts';
import { spaceTimePicture } from './spacetime.ts';
import { type PictureOptions, toPNG } from './stage.ts';

/** Pixels: of a picture as a file, and of one over the whole width of a page. */
const WIDTH = 900;
export const WIDTH_FULL = 1140;

/** A picture of a run. */
export interface Picture {
  /** Of its figure, and of its file. */
  id: string;
  /** Its title: the finding of this name. */
  finding: keyof Findings;
  /** What is drawn, in a sentence or two. */
  note(chapter: Chapter): string;
  draw(chapter: Chapter, axes: Axes, options: PictureOptions): Promise<string>;
  /** It needs the whole width, and on a page comes after the numbers. */
  wide?: true;
}

const part = ({ run }: Chapter) => (run.run.machines > FIELDS_MOST
  ? ` These are the first ${FIELDS_MOST} of ${run.run.machines} machines.` : '');

export const PICTURES: Picture[] = [{
  id: 'clocks', finding: 'clocks',
  note: ({ sampled }) => `Each machine’s clock by system time.${sampled}`,
  draw: ({ states, ticks: { faults } }, { end_s, clock }, options) =>
    clocksPicture(states, { ...options, end_s, max: clock, faults }),
}, {
  id: 'lag', finding: 'lag',
  note: ({ sampled }) => 'The lag: how far each clock is behind the highest one at the same '
    + `time, all on one scale.${sampled}`,
  draw: ({ states, ticks: { faults } }, { end_s, lag }, options) =>
    lagPicture(states, { ...options, end_s, max: lag, faults }),
}, {
  id: 'queues', finding: 'queues',
  note: ({ sampled }) => `Messages that wait to be taken.${sampled}`,
  draw: ({ states, ticks: { faults } }, { end_s, queue }, options) =>
    queuesPicture(states, { ...options, end_s, max: queue, faults }),
}, {
  id: 'jumps', finding: 'jumps',
  note: (chapter) => 'The jump: by how much a tick moves the clock, 1 where nothing came from '
    + `ahead. Rare jumps are drawn larger than their share, so that they are seen.${part(chapter)}`,
  draw: ({ counts, run }, { jump }, options) =>
    jumpsPicture(counts, { ...options, machines: run.run.machines, max: jump }),
}, {
  id: 'events', finding: 'events',
  note: (chapter) => 'What each machine does with its ticks, in slices of '
    + `${about(chapter.slice_s)} s.${part(chapter)}`,
  draw: ({ slices, run, ticks: { faults } }, { end_s }, options) =>
    eventsPicture(slices, { ...options, machines: run.run.machines, end_s, faults }),
}, {
  id: 'space-time', finding: 'messages', wide: true,
  note: ({ ticks }) => 'A line for each machine: full dots send, rings receive, small dots are '
    + 'internal events, arrows are messages'
    + (ticks.reconstructed ? ', dotted where only the clocks name them' : '')
    + (ticks.arrived_s ? '; what is under way arrives beside the line and waits there, dotted' : '')
    + `${ticks.reconstructed ? '' : '; dashed ones were never taken'}. Numbers are clocks.${
      ticks.faults.length > 0 ? ' Bands are faults.' : ''}`,
  draw: async ({ ticks }, { window_s }, options) => spaceTimePicture(ticks,
    { from_s: 0, to_s: Math.max(0.02, Math.min(window_s, ticks.end_s)), values: true }, options),
}];

/** Each picture of a run as an SVG with its finding above it, by name. */
export async function pictures(run: Run): Promise<Map<string, string>> {
  const { chapters: [chapter], axes } = await chaptersOf([run], []);
  return new Map(await Promise.all(PICTURES.map(async ({ id, finding, draw, wide }) => [id,
    await draw(chapter!, axes, {
      width: wide ? WIDTH_FULL : WIDTH, title: chapter!.found[finding],
    })] as const)));
}

/** The same as PNGs for screens and slides. @throws MissingError as toPNG does */
export async function pngs(run: Run): Promise<Map<string, Buffer>> {
  return new Map(await Promise.all([...await pictures(run)].map(async ([id, svg]) =>
    [id, await toPNG(svg)] as const)));
}
