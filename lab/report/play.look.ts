/** How the playground draws: colours from the style sheet, sharp canvases, marks of events. */

/** What the CSS variables of the page stand for now, in light or dark. */
export interface Look {
  ink: string;
  muted: string;
  rule: string;
  paper: string;
  past: string;
  future: string;
  machine: string[];
  label: string[];
  font: string;
  /** Of small text on a canvas, which grows with the page's. */
  small_px: number;
  /** The reader asked for less motion. */
  still: boolean;
}

/** The six colours come again from the seventh machine on, and then lines are dashed. */
export const COLOURS = 6;

const media = (query: string) => matchMedia(query);

function read(): Look {
  const [style, body] = [document.documentElement, document.body].map((one) =>
    getComputedStyle(one)) as [CSSStyleDeclaration, CSSStyleDeclaration];
  const variable = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const each = (name: string) => Array.from({ length: COLOURS }, (_, n) =>
    variable(`${name}-${n}`));
  return {
    ink: variable('ink'), muted: variable('muted'), rule: variable('rule'),
    paper: variable('paper'), past: variable('past'), future: variable('future'),
    machine: each('machine'), label: each('label'),
    font: body.fontFamily, small_px: Math.round(parseFloat(body.fontSize) * 0.8),
    still: media('(prefers-reduced-motion: reduce)').matches,
  };
}

/** The look of the page, which `changed` is told of when it changes. */
export function followLook(changed: () => void): { look: Look } {
  const holder = { look: read() };
  for (const query of ['(prefers-color-scheme: dark)', '(prefers-reduced-motion: reduce)']) {
    media(query).addEventListener('change', () => {
      holder.look = read();
      changed();
    });
  }
  addEventListener('resize', () => {
    holder.look = read();
    changed();
  });
  return holder;
}

export const colourOf = (look: Look, id: number) => look.machine[id % COLOURS]!;
export const labelOf = (look: Look, id: number) => look.label[id % COLOURS]!;
/** A second sign beside the colour: solid, dashed, dotted and so on, six machines each. */
export const dashOf = (id: number): number[] =>
  [[], [7, 4], [2, 3], [9, 3, 2, 3]][Math.floor(id / COLOURS) % 4]!;

/** A canvas that is as sharp as the screen. */
export interface Surface {
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  /** CSS pixels, as it was last laid out: to ask the browser each frame would lay out again. */
  width: number;
  height: number;
}

/** @param follow whether its size is that of its element on the page */
export function surfaceOf(canvas: HTMLCanvasElement, follow = true): Surface {
  const surface = { canvas, context: canvas.getContext('2d')!, width: 0, height: 0 };
  if (!follow) return surface;
  const measure = () => {
    [surface.width, surface.height] = [canvas.clientWidth, canvas.clientHeight];
  };
  new ResizeObserver(measure).observe(canvas);
  measure();
  return surface;
}

/** Clears the canvas, at its size or at another. */
export function clear(
  surface: Surface, width = surface.width, height = surface.height,
): CanvasRenderingContext2D {
  const { canvas, context } = surface;
  const sharp = Math.min(devicePixelRatio || 1, 3);
  const [w, h] = [Math.round(width * sharp), Math.round(height * sharp)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  [surface.width, surface.height] = [width, height];
  context.setTransform(sharp, 0, 0, sharp, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** The head of an arrow that points along (dx, dy) and ends at (x, y), as part of a path. */
export function head(
  path: CanvasPath, x: number, y: number, dx: number, dy: number, size: number,
): void {
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const [bx, by] = [x - ux * size, y - uy * size];
  const half = size * 0.42;
  path.moveTo(x, y);
  path.lineTo(bx - uy * half, by + ux * half);
  path.lineTo(bx + uy * half, by - ux * half);
  path.closePath();
}

/** The mark of an event: a small dot is internal, a full one a send, a ring a receive. */
export function mark(
  context: CanvasRenderingContext2D, look: Look, event: string, id: number,
  x: number, y: number, size: number,
): void {
  context.fillStyle = colourOf(look, id);
  context.beginPath();
  context.arc(x, y, event === 'internal' ? size * 0.45 : size, 0, 2 * Math.PI);
  context.fill();
  if (event !== 'receive') return;
  context.fillStyle = look.paper;
  context.beginPath();
  context.arc(x, y, size * 0.5, 0, 2 * Math.PI);
  context.fill();
}

/** Makes an element: its class, and what stands in it, as text and never as HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K, className = '', ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** The element of the page with an id; it is there, or the page is broken. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** Sets a text only where it differs, so that the browser has nothing to lay out again. */
export function say(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
