/** Pictures of many runs: curves, cells and distributions over the axes of a sweep. */
import type { DataFrame } from 'nodejs-polars';
import { machineColour } from './signs.ts';
import {
  draw, type Mark, type PictureOptions, type Row, size, type Spec, stage,
  type Stage,
} from './stage.ts';

// Here a line is a configuration or a quantity, and only where it is a machine has it a machine's
// colour; all others are shades from violet to yellow-green.

/** What is along an axis of a sweep: a column, its words, and its scale where it is not linear. */
export interface Axis {
  column: string;
  label: string;
  type?: 'linear' | 'log' | 'sqrt';
  domain?: [number, number];
}

/** Something to compare with: an upright (x) or level (y) line, and what it says. */
export interface Guide {
  x?: number;
  y?: number;
  label: string;
}

const shades = ['#440154', '#3b528b', '#21918c', '#5ec962', '#b5a300'];
const shadeOf = (place: number, of: number): string => of < 2 ? shades[1]!
  : shades[Math.round((place * (shades.length - 1)) / (of - 1))]!;

const sweepAxis = ({ label, type, domain }: Axis, width: number): NonNullable<Spec['x']> => ({
  label, type: type ?? 'linear', ...(domain && { domain }), tickSize: 0, labelOffset: 34,
  ticks: width < 450 ? 4 : 7, ...(type === 'log' && { tickFormat: ',~g' }), // Not 20m for 0.02.
});

function guideMarks({ Plot }: Stage, guides: Guide[]): Mark[] {
  const upright = guides.filter(({ x }) => x !== undefined);
  const level = guides.filter(({ y }) => y !== undefined);
  const dashed = { stroke: 'var(--muted)', strokeDasharray: '4 3' };
  const words = { text: 'label', fill: 'var(--muted)' } as const;
  return [
    Plot.ruleX(upright, { x: 'x', ...dashed }), Plot.ruleY(level, { y: 'y', ...dashed }),
    Plot.text(upright, { x: 'x', frameAnchor: 'top', textAnchor: 'start', dx: 5, ...words }),
    Plot.text(level, { y: 'y', frameAnchor: 'left', textAnchor: 'start', dx: 5, dy: -8, ...words }),
  ];
}

/**
 * One quantity over another: a line for each value of `by`, with the band from `low` to `high`
 * (an interval) where these columns are given, and dots (`dots`) in the place of lines for what is
 * measured beside what is predicted. Lines are named at their right ends. What is predicted can
 * also be a column (`predicted`) beside the measured one: a thin line in the colour of its dots.
 */
export async function curvesPicture(
  frame: DataFrame,
  { x, y, by, low, high, predicted, dots = [], guides = [] }: { x: Axis; y: Axis; by?: string;
    low?: string; high?: string; predicted?: string; dots?: (string | number)[];
    guides?: Guide[] },
  { width = 720, title }: PictureOptions = {},
): Promise<string> {
  const on = await stage();
  const rows = frame.toRecords() as Row[];
  const keys = [...new Set(rows.map((row) => (by === undefined ? '' : row[by]!)))];
  const colour = (row: Row) => (by === 'machine' ? machineColour(row.machine!)
    : shadeOf(by === undefined ? 0 : keys.indexOf(row[by]!), keys.length));
  const isDots = (row: Row) => by !== undefined && dots.includes(row[by]!);
  const last = keys.map((key) => rows.filter((row) => by === undefined || row[by] === key).at(-1)!);
  const shared = { x: x.column, ...(by !== undefined && { z: by }) };
  return draw(on, {
    ...size(width, 380), marginLeft: 52, marginRight: by === undefined ? 24 : 130,
    x: sweepAxis(x, width), y: { ...sweepAxis(y, width), grid: true },
    marks: [
      ...(low === undefined || high === undefined ? [] : [
        on.Plot.areaY(rows.filter((row) => !isDots(row)),
          { ...shared, y1: low, y2: high, fill: colour, fillOpacity: 0.18 }),
        on.Plot.ruleX(rows.filter(isDots), { x: x.column, y1: low, y2: high, stroke: colour })]),
      ...guideMarks(on, guides),
      on.Plot.lineY(rows.filter((row) => !isDots(row)),
        { ...shared, y: y.column, stroke: colour, strokeWidth: 1.8 }),
      ...(predicted === undefined ? [] : [
        on.Plot.lineY(rows, { ...shared, y: predicted, stroke: colour, strokeWidth: 1 })]),
      on.Plot.dot(rows.filter(isDots), { x: x.column, y: y.column, fill: colour, r: 3 }),
      ...(by === undefined ? [] : [on.Plot.text(movedApart(last, rows, y), {
        x: x.column, y: 'at', text: (row: Row) => (by === 'machine' ? `machine ${row[by]}`
          : String(row[by])), textAnchor: 'start', dx: 7, fill: colour, fontWeight: 600 })]),
    ],
  }, title);
}

/** Where the names at the ends of lines stand (`at`), so that none covers another. */
function movedApart(ends: Row[], rows: Row[], { column, type, domain }: Axis): Row[] {
  const [up, down] = type === 'log' ? [Math.log, Math.exp]
    : type === 'sqrt' ? [Math.sqrt, (x: number) => x * x] : [(x: number) => x, (x: number) => x];
  const values = (domain ?? rows.map((row) => row[column]!)).filter(Number.isFinite).map(up);
  const apart = (15 / 310) * (Math.max(...values) - Math.min(...values));
  let least = -Infinity;
  return [...ends].sort((a, b) => a[column]! - b[column]!).map((row) => {
    const at = Math.max(up(row[column]!), least);
    least = at + apart;
    return { ...row, at: down(at) };
  });
}

/**
 * A quantity over two others: a coloured cell for each row. `line` is drawn on top, such as a
 * predicted boundary. The legend is the title's part of the picture, in steps.
 * @param cells one row a cell: the columns of `x`, `y` and `value`
 * @param line rows in the columns of `x` and `y`
 */
export async function cellsPicture(
  cells: DataFrame,
  { x, y, value, line, lineLabel }: { x: Axis; y: Axis; value: Axis; line?: DataFrame;
    lineLabel?: string },
  { width = 720, title }: PictureOptions = {},
): Promise<string> {
  const on = await stage();
  const rows = cells.toRecords() as Row[];
  const steps = (column: string) => {
    const sorted = [...new Set(rows.map((row) => row[column]!))].sort((a, b) => a - b);
    const edge = (place: number) => (sorted[place - 1]! + sorted[place]!) / 2;
    return new Map(sorted.map((at, place) => [at, [
      place === 0 ? at - (edge(1) - at) : edge(place),
      place === sorted.length - 1 ? at + (at - edge(place)) : edge(place + 1)] as const]));
  };
  const [columns, levels] = [steps(x.column), steps(y.column)];
  const path = (line?.toRecords() ?? []) as Row[];
  const limits = (edges: Map<number, readonly [number, number]>): [number, number] =>
    [Math.min(...[...edges.values()].flat()), Math.max(...[...edges.values()].flat())];
  const shown = path.filter((row) => row[y.column]! >= limits(levels)[0]
    && row[y.column]! <= limits(levels)[1] && row[x.column]! >= limits(columns)[0]
    && row[x.column]! <= limits(columns)[1]);
  return draw(on, {
    ...size(width, 420), marginLeft: 52, marginRight: 110,
    x: sweepAxis({ domain: limits(columns), ...x }, width),
    y: sweepAxis({ domain: limits(levels), ...y }, width),
    color: { type: value.type ?? 'linear', scheme: 'ylgnbu', ...(value.domain
      && { domain: value.domain }), clamp: true },
    marks: [
      on.Plot.rect(rows, {
        x1: (row: Row) => columns.get(row[x.column]!)![0], fill: value.column,
        x2: (row: Row) => columns.get(row[x.column]!)![1],
        y1: (row: Row) => levels.get(row[y.column]!)![0],
        y2: (row: Row) => levels.get(row[y.column]!)![1] }),
      on.Plot.line(shown, { x: x.column, y: y.column, stroke: '#D55E00', strokeWidth: 2.5 }),
      ...(lineLabel === undefined ? [] : [on.Plot.text(shown.slice(-1), { x: x.column, y: y.column,
        text: () => lineLabel, ...lineLabelPlace(shown, x, limits(columns)),
        fill: 'var(--label-1)', stroke: 'var(--paper)', strokeWidth: 4, fontWeight: 600 })]),
      ...colourKey(on, rows, value, limits(columns), limits(levels)),
    ],
  }, title);
}

/** Beside a line's last point and inside the field, since the key stands to the right of it. */
function lineLabelPlace(shown: Row[], { column }: Axis, [left, right]: [number, number]) {
  return (shown.at(-1)?.[column] ?? left) < (left + right) / 2
    ? { textAnchor: 'start', dx: 9 } as const : { textAnchor: 'end', dx: -6, dy: -12 } as const;
}

/** The key of the colours: a column of them right of the field, with the values they stand for. */
function colourKey(
  { Plot }: Stage, rows: Row[], { column, label, type, domain }: Axis,
  [left, right]: [number, number], [low, high]: [number, number],
): Mark[] {
  const values = rows.map((row) => row[column]!).filter(Number.isFinite);
  const [least, greatest] = domain ?? [Math.min(...values), Math.max(...values)];
  const between = (share: number) => type === 'log' ? least * (greatest / least) ** share
    : type === 'sqrt' ? (Math.sqrt(least) + share * (Math.sqrt(greatest) - Math.sqrt(least))) ** 2
    : least + share * (greatest - least);
  const px = (right - left) / 558;
  const key = [0, 1, 2, 3, 4, 5].map((nth) => ({
    value: between(nth / 5), y1: low + (0.28 + nth * 0.08) * (high - low),
    y2: low + (0.36 + nth * 0.08) * (high - low) }));
  const digits = (at: number) => String(Number(at.toPrecision(2)));
  return [
    Plot.rect(key, { x1: right + 12 * px, x2: right + 26 * px, y1: 'y1', y2: 'y2', fill: 'value' }),
    Plot.text(key, { x: right + 31 * px, y: ({ y1, y2 }: Row) => (y1! + y2!) / 2,
      textAnchor: 'start', text: ({ value }: Row) => digits(value!) }),
    Plot.text([label], { x: right + 12 * px, y: low + 0.8 * (high - low),
      text: (text: string) => text, textAnchor: 'start', lineAnchor: 'bottom', lineWidth: 8 }),
  ];
}

/**
 * How a quantity is distributed over runs: a histogram, or one below the other for each value of
 * `by`. Guides mark single runs or predictions on it; a guide with `of` marks that field only.
 */
export async function distributionPicture(
  frame: DataFrame,
  { x, by, guides = [], bins = 60 }: { x: Axis; by?: string; bins?: number;
    guides?: (Guide & { of?: string | number })[] },
  { width = 720, title }: PictureOptions = {},
): Promise<string> {
  const on = await stage();
  const rows = frame.select(x.column, ...(by === undefined ? [] : [by])).toRecords() as Row[];
  const of = [...new Set(rows.map((row) => (by === undefined ? 'all' : row[by]!)))];
  const values = rows.map((row) => row[x.column]!);
  let [least, greatest] = x.domain ?? values.reduce<[number, number]>(([a, b], value) =>
    [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  let bin = (greatest - least) / bins || 1;
  if (values.every(Number.isInteger)) {
    // A bar holds the same number of whole numbers as the next, or the picture has gaps.
    bin = Math.ceil(bin);
    [least, greatest] = [least - 0.5, least - 0.5 + bin * Math.ceil((greatest - least + 1) / bin)];
  }
  const bars = of.flatMap((field) => {
    const counts = new Map<number, number>();
    const own = by === undefined ? rows : rows.filter((row) => row[by] === field);
    for (const row of own) {
      const nth = Math.floor((Math.min(row[x.column]!, greatest - bin / 2) - least) / bin);
      counts.set(nth, (counts.get(nth) ?? 0) + 1);
    }
    return [...counts].map(([nth, runs]) => ({ field, from: least + nth * bin,
      to: least + (nth + 1) * bin, percent: (100 * runs) / own.length }));
  });
  const marked = guides.map((guide) => ({ ...guide, field: guide.of ?? of[0] }));
  const fill = (row: { field: string | number }) => (by === 'machine'
    ? machineColour(Number(row.field)) : shades[1]!);
  return draw(on, {
    ...size(width, of.length === 1 ? 300 : 72 + of.length * 74), marginRight: 24,
    marginLeft: by === undefined ? 46 : 96,
    fy: { axis: null, domain: of, paddingInner: 0.25 },
    x: sweepAxis({ ...x, domain: [least, greatest] }, width),
    y: { label: '↑ % of runs', tickSize: 0, ticks: of.length === 1 ? 5 : 2, grid: true,
      ...(of.length > 1 && { axis: null }) },
    marks: [
      on.Plot.rect(bars, { x1: 'from', x2: 'to', y1: 0, y2: 'percent', fy: 'field', fill,
        fillOpacity: 0.75, insetRight: 0.5 }),
      on.Plot.ruleX(marked, { x: 'x', fy: 'field', stroke: 'var(--ink)', strokeWidth: 1.6 }),
      on.Plot.text(marked, { x: 'x', fy: 'field', text: 'label', frameAnchor: 'top', dx: 4,
        textAnchor: 'start', fontWeight: 600 }),
      ...(by === undefined ? [] : [on.Plot.text(of.map((field) => ({ field })), { fy: 'field',
        text: ({ field }: { field: string | number }) => (by === 'machine' ? `machine ${field}`
          : String(field)), frameAnchor: 'left', dx: -8, textAnchor: 'end', fontWeight: 600 })]),
    ],
  }, title);
}

/**
 * Pictures side by side, so many a row, as one picture: for comparing like with like.
 * @param pictures of functions in this file
 */
export function beside(pictures: string[], columns = 2): string {
  const sizes = pictures.map((svg) => (['width', 'height'] as const).map((side) =>
    Number(new RegExp(`^<svg[^>]*? ${side}="([\\d.]+)"`).exec(svg)![1])));
  const [width, height] = [0, 1].map((side) => Math.max(...sizes.map((size) => size[side]!)));
  const placed = pictures.map((svg, nth) => svg.replace('<svg',
    `<svg x="${(nth % columns) * width!}" y="${Math.floor(nth / columns) * height!}"`));
  const all = [Math.min(columns, pictures.length) * width!,
    Math.ceil(pictures.length / columns) * height!];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${all[0]}" height="${all[1]}" `
    + `viewBox="0 0 ${all[0]} ${all[1]}">${placed.join('')}</svg>`;
}
