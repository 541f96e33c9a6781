/** How machines are told apart in pictures and in the browser: a colour, and beyond six a dash. */

/** As many as machine_colours has in lab/cli/terminal.ts; a test holds it to that. */
export const COLOURS = 6;
/** Of the strokes of machines 0–5, 6–11 and so on, in px. */
const DASHES = ['', '7 3', '2 3', '9 3 2 3', '12 4', '4 6', '9 3 2 3 2 3', '1 5', '14 3 4 3'];

export const machineColour = (id: number): string => `var(--machine-${id % COLOURS})`;
export const labelColour = (id: number): string => `var(--label-${id % COLOURS})`;

/** The dashes of a machine's strokes; empty for a whole line. */
export const dashOf = (id: number): string => DASHES[Math.floor(id / COLOURS) % DASHES.length]!;

/** The same as an attribute of SVG, with a space before it. */
export const dashAttribute = (id: number): string =>
  (dashOf(id) === '' ? '' : ` stroke-dasharray="${dashOf(id)}"`);
