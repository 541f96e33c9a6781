/**
 * The pictures of the lab, for cells of notebooks; this is no command. Each function takes a frame
 * that analyze.ts makes, and gives an SVG as text:
 *
 *   import { load, timeline } from './analyze.ts';
 *   import { show } from './notebook.ts';
 *   import { lagPicture } from './plot.ts';
 *   show(await lagPicture(timeline(load('logs/by-hand'))), 'how far each machine lags behind');
 *
 * A report with all of them is made by: npx tsx analyze.ts logs/by-hand
 */
import { isMain, script } from './lab/cli/options.ts';

export { coloured, colourOf, machine_colours } from './lab/cli/terminal.ts';
export {
  clocksPicture, eventsPicture, jumpsPicture, lagPicture, queuesPicture,
} from './lab/report/runs.ts';
export { spaceTimePicture } from './lab/report/spacetime.ts';
export { type PictureOptions, theme, toPNG } from './lab/report/stage.ts';
export {
  type Axis, beside, cellsPicture, curvesPicture, distributionPicture, type Guide,
} from './lab/report/sweeps.ts';

if (isMain(import.meta.url)) script(import.meta.url).usage(' ').parse().outputHelp();
