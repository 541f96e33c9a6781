/**
 * What playground and live page show alike: the rows and the space-time diagram of one film, and
 * how a pointer moves the diagram's window and means its events.
 */
import type { Fault } from '../model/faults.ts';
import { diagramView, spanOf, type View, windowOf } from './play.diagram.ts';
import type { Film, Moment } from './play.film.ts';
import type { Look } from './play.look.ts';
import { type Pace, rowsView, type RowsView } from './play.rows.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const DRAG_PX = 5; // A pointer that moves less has clicked.
const WHEEL = 300; // Pixels of a wheel that zoom by e.
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** What a person does to the diagram. */
export interface Touches {
  /** A place in the film, or −1. */
  hover(event: number): void;
  click(event: number, x: number, y: number): void;
  moved(): void;
}

/** One film on the page. */
export interface FutureView {
  draw(film: Film, t: number, view: View, look: Look, pace: Pace,
    besides: { faults: readonly Fault[]; parts_s: number | null }): Moment[];
  /** Where an event stands, in pixels of the window. */
  place(event: number): [number, number];
}

/** The view of the diagram at first: it follows the time. */
export const freshView = (film: Film, width: number): View =>
  ({ span_s: spanOf(film, Math.min(1, Math.max(0.3, width / 1100))), from_s: null, hovered: -1,
    selected: -1 });

/** Zooms the window about a time, which stays where it is; following goes on. */
export function zoom(view: View, film: Film, t: number, factor: number, about_s: number): void {
  const [from_s] = windowOf(view, t);
  const span_s = Math.min(film.duration_s, Math.max(0.05, view.span_s / factor));
  if (view.from_s !== null) {
    view.from_s = Math.max(0, about_s - ((about_s - from_s) / view.span_s) * span_s);
  }
  view.span_s = span_s;
}

export function futureView(
  rows: HTMLElement, canvas: HTMLCanvasElement, touches: Touches,
): FutureView {
  const diagram = diagramView(canvas);
  let list: RowsView | null = null;
  let shown: { film: Film; t: number; view: View } | null = null;
  let machines = 0;
  pointer(canvas, {
    hover: (x, y) => shown && touches.hover(x < 0 ? -1
      : diagram.at(shown.film, shown.t, shown.view, x, y)),
    click: (x, y) => shown
      && touches.click(diagram.at(shown.film, shown.t, shown.view, x, y), x, y),
    drag(by_px) {
      if (!shown) return;
      const { film, t, view } = shown;
      const [from_s] = windowOf(view, t);
      view.from_s = Math.min(Math.max(0, film.duration_s - view.span_s),
        Math.max(0, from_s - diagram.seconds(film, t, view, by_px)));
      touches.moved();
    },
    zoom(factor, x) {
      if (!shown) return;
      const { film, t, view } = shown;
      const [from_s] = windowOf(view, t);
      zoom(view, film, t, factor, from_s + diagram.seconds(film, t, view, x));
      touches.moved();
    },
  });
  return {
    draw(film, t, view, look, pace, besides) {
      shown = { film, t, view };
      if (!list || machines !== film.machines) list = rowsView(rows, machines = film.machines);
      const moments = list.draw(film, t, look, pace, besides.faults);
      diagram.draw(film, t, view, look, besides);
      return moments;
    },
    place(event) {
      const box = canvas.getBoundingClientRect();
      const [x, y] = diagram.place(shown!.film, shown!.t, shown!.view, event);
      return [box.left + x, box.top + y];
    },
  };
}

/** Mouse, pen and fingers, as what is meant by them; −1 where the pointer has left. */
function pointer(canvas: HTMLCanvasElement, on: {
  hover(x: number, y: number): void;
  click(x: number, y: number): void;
  drag(by_px: number): void;
  zoom(factor: number, x: number): void;
}): void {
  const down = new Map<number, PointerEvent>();
  let moved_px = 0;
  const place = ({ clientX, clientY }: MouseEvent): [number, number] => {
    const { left, top } = canvas.getBoundingClientRect();
    return [clientX - left, clientY - top];
  };
  const apart = () => {
    const [one, other] = [...down.values()];
    return Math.hypot(one!.clientX - other!.clientX, one!.clientY - other!.clientY);
  };
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    down.set(event.pointerId, event);
    moved_px = down.size > 1 ? Infinity : 0;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    const before = down.get(event.pointerId);
    if (!before) {
      if (event.pointerType === 'mouse') on.hover(...place(event));
      return;
    }
    const was = down.size === 2 ? apart() : 0;
    down.set(event.pointerId, event);
    const by_px = event.clientX - before.clientX;
    moved_px += Math.abs(by_px) + Math.abs(event.clientY - before.clientY);
    if (was > 0) on.zoom(apart() / was, place(event)[0]);
    else if (moved_px > DRAG_PX) on.drag(by_px);
  });
  const up = (event: PointerEvent) => {
    const was = down.delete(event.pointerId);
    if (was && event.type === 'pointerup' && moved_px <= DRAG_PX) on.click(...place(event));
  };
  canvas.addEventListener('pointerup', up);
  canvas.addEventListener('pointercancel', up);
  canvas.addEventListener('pointerleave', () => {
    if (down.size === 0) on.hover(-1, -1);
  });
  canvas.addEventListener('wheel', (event) => {
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!event.ctrlKey && !event.metaKey && !sideways) return; // The page scrolls.
    event.preventDefault();
    if (sideways) on.drag(-(event.deltaX || event.deltaY));
    else on.zoom(Math.exp(-event.deltaY / WHEEL), place(event)[0]);
  }, { passive: false });
}
