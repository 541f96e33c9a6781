
/**
 * The Okabe–Ito palette, which most colour-blind people can tell apart, in the order of the ids.
 * A machine has the same colour in the terminal, the report and the notebooks.
 */
export const machine_colours =
  ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'] as const;

/** The colour of a machine, as #rrggbb; the seventh machine has that of the first again. */
export const colourOf = (id: number): string => machine_colours[id % machine_colours.length]!;

/** The text in the machine's colour, for a terminal. */
export function coloured(id: number, text: string): string {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colourOf(id).slice(at, at + 2), 16));
  return `\x1b[38;2;${r};${g};${b}m${text}\x1b[39m`;
}
