/**
 * What every picture stands on: colours as CSS variables, a document to draw in, a title above, and
 * PNG. Nothing here knows a run.
 */
import { htmlEscape } from 'escape-goat';
import { machine_colours } from '../cli/terminal.ts';

/** What the CSS variables of a picture stand for, on white paper and on a dark screen. */
export const theme = {
  light: {
    ink: '#1d1f21', muted: '#63666a', rule: '#e4e4e1', paper: '#ffffff', past: '#d9d4c7',
    future: '#cfe0ea', fault: '#b9a4a4', ...named('machine', machine_colours),
    // Text needs more contrast than lines: the same hues, darker.
    ...named('label', ['#005f96', '#a84900', '#00724f', '#a24a7c', '#8a5f00', '#1f75a8']),
  },
  dark: {
    ink: '#e8e6e1', muted: '#a3a19c', rule: '#33363a', paper: '#17191c', past: '#46423a',
    future: '#2b4352', fault: '#6b4f52', ...named('machine', machine_colours),
    ...named('label', ['#5db3e6', '#ff9a4d', '#3fd0a4', '#e6a3c8', '#f0b93d', '#8fd0f5']),
  },
} as const;

function named(name: string, colours: readonly string[]): Record<string, string> {
  return Object.fromEntries(colours.map((colour, place) => [`${name}-${place}`, colour]));
}

/** Where no page says otherwise, a variable has its light value. */
export const withFallbacks = (svg: string): string => svg.replace(/var\(--([\w-]+)\)/g,
  (_, name: string) => `var(--${name},${(theme.light as Record<string, string>)[name]})`);

/**
 * Loaded when a picture is drawn, since a launcher that wants a colour must not wait for it;
 * linkedom as one file, which takes a tenth of the time that its hundreds take.
 */
export const stage = async () => {
  const [{ Plot }, { parseHTML }] =
    await Promise.all([import('./library.ts'), import('linkedom/worker')]);
  return { Plot, document: parseHTML('<html><body></body></html>').document };
};
export type Stage = Awaited<ReturnType<typeof stage>>;
export type Spec = import('@observablehq/plot').PlotOptions;
export type Mark = import('@observablehq/plot').Markish;
export type Row = Record<string, number>;

export interface PictureOptions {
  /** Pixels; below 450 the picture is made for a phone. */
  width?: number;
  /** Where the axis of time ends, in model seconds; without it, where the frame does. */
  end_s?: number;
  /** Where the other axis ends, so that two runs can share it. */
  max?: number;
  /** How many machines have a field, also those that did nothing; without it, who is there. */
  machines?: number;
  /** What is written above the picture; without it, nothing. */
  title?: string;
  /** What was done to machines and links, for pictures over time. */
  faults?: Band[];
}

/** A fault: a stretch of time, in model seconds, on the lines of machines. */
export interface Band {
  do: string;
  machines: number[];
  from_s: number;
  to_s: number;
}

export const size = (width: number, height: number): Spec => ({
  width, height, marginLeft: 40, marginRight: 76, marginTop: 30, marginBottom: 38,
  style: { fontSize: '12px', fontFamily: 'system-ui, sans-serif', color: 'var(--ink)',
    background: 'none', overflow: 'visible' },
});
/** Axes without ticks: the grid says where a number stands. */
export const timeAxis = (end_s: number, width: number): NonNullable<Spec['x']> =>
  ({ label: 'time, s →', domain: [0, end_s], ticks: width < 450 ? 4 : 7, tickSize: 0,
    labelOffset: 34 });

/** Draws a picture and makes its text small and independent of the page. */
export function draw({ Plot, document }: Stage, spec: Spec, title?: string): string {
  const element = Plot.plot({ ...spec, document } as Spec);
  element.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  // Places are rounded to tenths of a pixel; what is written between the tags stays as it is.
  const svg = element.outerHTML.replace(/<style>.*?<\/style>/s, '').replace(/ class="plot-\w+"/, '')
    .replace(/<[^>]*>/g, (tag) => tag.replace(/-?\d+\.\d{2,}/g,
      (x) => String(Math.round(Number(x) * 10) / 10)));
  return withFallbacks(title === undefined ? svg : titled(svg, title));
}

/** Makes room above a picture for its title, and writes it there. */
export function titled(svg: string, title: string): string {
  const [, width, height] = /viewBox="0 0 (\S+) (\S+)"/.exec(svg)!.map(Number);
  const lines: string[] = [];
  for (const word of title.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && (line.length + word.length) * 7.6 < width! - 16) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else lines.push(word);
  }
  const top = lines.length * 19 + 10;
  const text = lines.map((line, nth) => `<text x="8" y="${18 + nth * 19}" font-size="15" `
    + `font-weight="600" text-anchor="start" font-family="system-ui, sans-serif" fill="var(--ink)">`
    + `${htmlEscape(line)}`
    + '</text>').join('');
  return svg.replace(/height="[^"]*"/, `height="${height! + top}"`)
    .replace(/viewBox="[^"]*"/, `viewBox="0 0 ${width} ${height! + top}"`)
    .replace(/^(<svg[^>]*>)/, `$1${text}<g transform="translate(0,${top})">`)
    .replace(/<\/svg>$/, '</g></svg>');
}


/** What one or the other system has; the library does not know a system's own sans-serif. */
const SANS = 'Helvetica Neue, Arial, Segoe UI, Liberation Sans, DejaVu Sans, Noto Sans, sans-serif';

/** What is missing to do what was asked, in one line that says what to do. */
export class MissingError extends Error {
  override name = 'MissingError';
}

/**
 * A picture as a PNG on white, twice as sharp as its size says.
 * @throws MissingError without @resvg/resvg-js, which nothing else needs
 */
export async function toPNG(svg: string): Promise<Buffer> {
  const { Resvg } = await import('@resvg/resvg-js').catch(() => {
    throw new MissingError('pictures as PNG need a library that is not installed: '
      + 'npm install @resvg/resvg-js');
  });
  const plain = svg.replace(/var\(--[\w-]+,([^)]*)\)/g, '$1')
    .replaceAll('currentColor', theme.light.ink)
    .replace(/system-ui, ?sans-serif/g, SANS);
  return new Resvg(plain, {
    background: theme.light.paper, fitTo: { mode: 'zoom', value: 2 },
    font: { loadSystemFonts: true },
  }).render().asPng();
}
