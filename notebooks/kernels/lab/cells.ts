/** What cells show: pictures and tables as HTML, which is seen wherever a notebook is read. */
import { htmlEscape } from 'escape-goat';
import type { DataFrame } from 'nodejs-polars';
import { display } from 'tslab';
import type { OwnRecord, RunRecord } from '../../../lab/model/record.ts';

/** How many runs are enough to see that a cell still works. */
const QUICK_RUNS = 3;
/** A frame that shows itself is cut to so many rows, most of them from its beginning. */
const ROWS_SHOWN = 20;
const ROWS_AT_END = 5;

/** The number of runs a cell makes: as many as it says, or 3 where LAB_QUICK is set (tests). */
export const quick = (runs: number): number =>
  (process.env.LAB_QUICK ? Math.min(runs, QUICK_RUNS) : runs);

/** The configuration of one of the lab's own runs; of an imported one part of it is unknown. */
export function configurationOf({ name, run }: { name: string; run: RunRecord }): OwnRecord {
  if (run.kind === 'foreign') throw new Error(`${name} was imported: its configuration is unknown`);
  return run;
}

/**
 * Shows a picture. As an image in HTML it is seen in notebooks that nobody trusts yet and in pages
 * made of them, which a bare SVG is not; on white, since it cannot know the colour of the page.
 * @param svg one <svg> element with its namespace (xmlns)
 * @param alt what it shows, in a sentence, for those who cannot see it
 */
export function show(svg: string, alt: string): void {
  if (!/^<svg[^>]*\sxmlns="/.test(svg)) throw new Error('show() takes one <svg> that has xmlns');
  const white = svg.replace('>', '><rect width="100%" height="100%" fill="white"/>');
  const data = Buffer.from(white).toString('base64');
  display.html(htmlEscape`<img src="data:image/svg+xml;base64,${data}" alt="${alt}">`);
}

/** Digits behind the point, for each column or by its name (2 for those not named). */
type Digits = number | Record<string, number>;

/** One column as cells of HTML, the head first: numbers to the right, with the same digits. */
function column(name: string, values: unknown[], digits: Digits): string[] {
  const numbers = values.filter((value) => typeof value === 'number');
  const places = numbers.every(Number.isInteger) ? 0
    : typeof digits === 'number' ? digits : digits[name] ?? 2;
  const number = new Intl.NumberFormat('en', {
    minimumFractionDigits: places, maximumFractionDigits: places });
  const side = numbers.length > 0 ? 'right' : 'left';
  const cell = (tag: 'th' | 'td', text: string) =>
    `<${tag} align="${side}" style="text-align: ${side}">${htmlEscape(text)}</${tag}>`;
  return [cell('th', name), ...values.map((value) => cell('td',
    value === null || value === undefined ? '–'
      : typeof value !== 'number' ? (Array.isArray(value) ? value.join(' ') : String(value))
      : number.format(value).replace(/^-(?=[0.]*$)/, '')))]; // No -0.
}

function tableHTML(frame: DataFrame, digits: Digits): string {
  const rows = frame.toRecords();
  const columns = frame.columns.map((name) =>
    column(name, rows.map((row) => row[name] as unknown), digits));
  const line = (nth: number) => `<tr>${columns.map((cells) => cells[nth]).join('')}</tr>\n`;
  return `<table>\n<thead>${line(0)}</thead>\n<tbody>\n${
    rows.map((_, nth) => line(nth + 1)).join('')}</tbody></table>`;
}

/**
 * Shows all of a small frame as a table: one row each, numbers to the right.
 * @param digits behind the point, for each column or by its name (2 for those not named); a column
 *   of whole numbers has none
 */
export function table(frame: DataFrame, digits: Digits = 2): void {
  display.html(tableHTML(frame, digits));
}

/** Whether a value is a frame of polars, which a cell then shows without being asked. */
export const isFrame = (value: unknown): value is DataFrame =>
  Object.prototype.toString.call(value) === '[object DataFrame]';

/** Shows a frame as the value of a cell: of a long one the first rows and the last. */
export function showFrame(frame: DataFrame): void {
  const { height, width } = frame;
  const size = `<p>${height.toLocaleString('en')} rows × ${width} columns</p>`;
  if (height <= ROWS_SHOWN) return display.html(`${tableHTML(frame, 3)}\n${size}`);
  const first = tableHTML(frame.head(ROWS_SHOWN - ROWS_AT_END), 3);
  const last = tableHTML(frame.tail(ROWS_AT_END), 3).replace(/^[^]*<tbody>\n/, '');
  const gap = `<tr><td colspan="${width}" style="text-align: center">⋮</td></tr>\n`;
  display.html(`${first.replace('</tbody></table>', gap)}${last}\n${size}`);
}
