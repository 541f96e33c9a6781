/** The space-time diagram as it stands in print. */
import { relations, vectorClocks } from '../model/causality.ts';
import { type Drawable, drawing, geometry, inView } from './diagram.ts';
import { labelColour } from './signs.ts';
import { type PictureOptions, titled, withFallbacks } from './stage.ts';

/**
 * The space-time diagram of a part of a run, as it stands in print.
 * @param view the part in model seconds; the event, if any, whose past and future are shown; and a
 *   chain of events that is drawn as one thick line, with the clock at each event of the part;
 *   `values`: the clock at each event that has room for it
 */
export function spaceTimePicture(
  diagram: Drawable,
  view: { from_s: number; to_s: number; selected?: number; chain?: number[]; values?: boolean },
  { width = 1080, title }: PictureOptions = {},
): string {
  const { chain, values = false, ...all } = { selected: -1, width, ...view };
  const how = all.selected < 0 ? null : relations(diagram, vectorClocks(diagram), all.selected);
  const { height, x, y } = geometry(diagram, all);
  const { machines, machine, time_s, clock } = diagram;
  const line = chain?.map((at) => `${x(time_s[at]!).toFixed(1)},${y(machine[at]!)}`).join(' ');
  const below = line === undefined ? '' : `<polyline points="${line}" fill="none" `
    + 'stroke="var(--past)" stroke-width="16" stroke-linecap="round" stroke-linejoin="round"/>';
  const above = (chain && inView(diagram, all).events)?.map((at) => {
    const dy = 2 * machine[at]! < machines ? -14 : 25; // Away from the arrows.
    return `<text x="${x(time_s[at]!).toFixed(1)}" y="${y(machine[at]!) + dy}" `
      + `text-anchor="middle" font-family="system-ui,sans-serif" font-size="12" `
      + `fill="${labelColour(machine[at]!)}">${clock[at]}</text>`;
  }).join('') ?? '';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" `
    + `viewBox="0 0 ${width} ${height}">${below}`
    + `${drawing(diagram, all, how, values ? (at) => String(clock[at]) : null)}${above}</svg>`;
  return withFallbacks(title === undefined ? svg : titled(svg, title));
}
