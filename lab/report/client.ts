/**
 * Brings the diagram of a report to life in the browser: page.ts bundles this file into the page.
 */
import { type Diagram, type Relation, relations, vectorClocks } from '../model/causality.ts';
import type { Scene } from '../frames/causes.ts';
import { drawing, geometry, inView, type View } from './diagram.ts';
import { extent, rule, state, takers, tell, vector } from './words.ts';

/** An event is meant if the pointer is as near as this. */
const REACH_PX = 26;
const ZOOM = 1.5;
const SPAN_MIN_S = 0.02;

/** A living diagram, for what else is on the page. */
interface Living {
  /** Shows and selects the event of a machine that is nearest to a time. */
  goTo(machine: number, time_s: number): void;
}

/** Brings a drawn diagram to life: mouse, fingers and keys move its window and select events. */
export function mount(figure: HTMLElement): Living {
  const diagram = JSON.parse(figure.querySelector('script')!.textContent!) as Scene;
  const svg = figure.querySelector('svg')!;
  const screen = screenOf(figure, svg, diagram);
  const { view, select, show, zoom, pan, relabel } = screen;
  const { time_s, end_s } = diagram;
  const walk = walkOn(diagram, view);
  /** An event that was clicked, or reached by the keys, stays selected when the pointer moves. */
  let held = false;

  /** The place of the pointer in the picture. */
  const place = ({ clientX, clientY }: MouseEvent): [number, number] => {
    const { left, top } = svg.getBoundingClientRect();
    return [clientX - left, clientY - top];
  };
  pointer(svg, {
    hover: (mouse) => {
      if (!held) select(mouse ? nearest(diagram, view, ...place(mouse)) : -1);
    },
    click: (mouse) => {
      const at = nearest(diagram, view, ...place(mouse));
      held = at >= 0 && !(held && at === view.selected);
      select(at);
    },
    drag: (by_px) => pan(-by_px / geometry(diagram, view).px_s),
    zoom: (factor, mouse) => zoom(factor, geometry(diagram, view).s(place(mouse)[0])),
  });

  const go = (at: number | undefined) => {
    if (at === undefined || at < 0) return;
    held = true;
    select(at);
    const span = view.to_s - view.from_s;
    if (time_s[at]! < view.from_s || time_s[at]! > view.to_s) show(time_s[at]! - span / 2, span);
  };
  const middle = () =>
    (view.selected >= 0 ? time_s[view.selected]! : (view.from_s + view.to_s) / 2);
  const keys: Record<string, () => void> = {
    ArrowRight: () => go(walk.along(1)),
    ArrowLeft: () => go(walk.along(-1)),
    ArrowDown: () => go(walk.across(1)),
    ArrowUp: () => go(walk.across(-1)),
    Home: () => go(walk.end(0)),
    End: () => go(walk.end(-1)),
    Enter: () => go(walk.message()),
    Escape: () => {
      held = false;
      select(-1);
    },
    PageDown: () => pan((view.to_s - view.from_s) * 0.8),
    PageUp: () => pan((view.from_s - view.to_s) * 0.8),
    '+': () => zoom(ZOOM, middle()),
    '=': () => zoom(ZOOM, middle()), // The same key without shift.
    '-': () => zoom(1 / ZOOM, middle()),
    0: () => show(0, end_s),
    v: relabel,
  };
  follow(keys, svg, figure.querySelectorAll('button'));
  return {
    goTo(machine, to_s) {
      go(closest(diagram, machine, to_s));
      svg.focus({ preventScroll: true });
      figure.scrollIntoView({ block: 'nearest' });
    },
  };
}

/** Keys of the picture, and buttons that bear the name of a key, do what the key stands for. */
function follow(
  keys: Record<string, () => void>, svg: SVGSVGElement, buttons: Iterable<HTMLButtonElement>,
): void {
  svg.addEventListener('keydown', (event) => {
    const key = keys[event.key];
    if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    key();
  });
  for (const button of buttons) {
    button.addEventListener('click', () => keys[button.value]!());
  }
}

/** The event of a machine that is nearest to a time, or −1 if the machine has none. */
function closest({ machine: machines, time_s }: Diagram, machine: number, to_s: number): number {
  const own = machines.flatMap((id, at) => (id === machine ? [at] : []));
  return own.reduce((best, at) =>
    (Math.abs(time_s[at]! - to_s) < Math.abs(time_s[best]! - to_s) ? at : best), own[0] ?? -1);
}

/** What is seen: the window of the run, the selected event, and how to change them. */
function screenOf(figure: HTMLElement, svg: SVGSVGElement, diagram: Scene) {
  const clocks = vectorClocks(diagram);
  const before = clocksBefore(diagram);
  const toggle = figure.querySelector<HTMLButtonElement>('button[value="v"]');
  let vectors = false;
  const slider = figure.querySelector('input')!;
  const words = figure.querySelector('output')!;
  const note = figure.querySelector('.extent')!;
  const { end_s } = diagram;
  const view = firstView(svg, Number(figure.dataset.window), end_s);
  let how: Relation[] | null = null;
  let asked = false;

  const paint = () => {
    asked = false;
    view.width = svg.clientWidth;
    if (view.width === 0) return; // It is not shown.
    const { height } = geometry(diagram, view);
    svg.setAttribute('viewBox', `0 0 ${view.width} ${height}`);
    svg.setAttribute('width', String(view.width));
    svg.setAttribute('height', String(height));
    svg.innerHTML = drawing(diagram, view, how, (at) =>
      (vectors ? vector(diagram, clocks, at) : String(diagram.clock[at])));
    [svg.dataset.from, svg.dataset.to] = [String(view.from_s), String(view.to_s)];
    note.textContent = extent(diagram, view);
    slider.max = String(Math.max(0, end_s - (view.to_s - view.from_s)));
    slider.value = String(view.from_s);
    slider.disabled = Number(slider.max) === 0;
  };
  /** Draws once in a frame, however often it is asked to. */
  const draw = () => {
    if (!asked) requestAnimationFrame(paint);
    asked = true;
  };

  const show = (from_s: number, span_s: number) => {
    const span = Math.max(SPAN_MIN_S, Math.min(end_s, span_s));
    view.from_s = Math.max(0, Math.min(end_s - span, from_s));
    view.to_s = view.from_s + span;
    draw();
  };
  const pan = (by_s: number) => show(view.from_s + by_s, view.to_s - view.from_s);
  /** What is at a time stays where it is. */
  const zoom = (factor: number, about_s: number) => {
    const span = Math.min(end_s, (view.to_s - view.from_s) / factor);
    show(about_s - ((about_s - view.from_s) / (view.to_s - view.from_s)) * span, span);
  };
  /** Selects an event, or with −1 none, and says what it is. */
  const select = (at: number) => {
    if (at === view.selected) return;
    view.selected = at;
    how = at < 0 ? null : relations(diagram, clocks, at);
    words.dataset.event = String(at);
    words.replaceChildren(...(how
      ? sentences(diagram, clocks, at, how, before[at]!) : [words.dataset.hint!]));
    draw();
  };

  /** Clocks or vector clocks at the events. */
  const relabel = () => {
    if (!toggle) return;
    vectors = !vectors;
    toggle.setAttribute('aria-pressed', String(vectors));
    draw();
  };

  slider.addEventListener('input', () => show(Number(slider.value), view.to_s - view.from_s));
  new ResizeObserver(draw).observe(svg);
  return { view, show, pan, zoom, select, relabel };
}

/** The first window is meant for the widest page: a narrower one begins with less of the run. */
function firstView(svg: SVGSVGElement, widest_s: number, end_s: number): View {
  const share = Math.min(1, Math.max(0.25, svg.clientWidth / Number(svg.getAttribute('width'))));
  const to_s = Math.min(end_s, widest_s * share);
  return { from_s: 0, to_s: Math.max(SPAN_MIN_S, to_s), width: 0, selected: -1 };
}

/** The clock of each event's machine before it. */
function clocksBefore({ machine, machines, clock }: Diagram): number[] {
  const last = new Array<number>(machines).fill(0);
  return machine.map((id, at) => {
    const was = last[id]!;
    last[id] = clock[at]!;
    return was;
  });
}

/** What is said of an event, line by line. */
function sentences(
  diagram: Scene, clocks: Int32Array, at: number, how: Relation[], before: number,
): HTMLElement[] {
  const many = (relation: Relation) => how.filter((one) => one === relation).length;
  const lines = [['b', tell(diagram, at)], ['span', rule(diagram, at, before)],
    ['span', state(diagram, clocks, at)],
    ['span', `${many('past')} events in its past, ${many('future')} in its future, `
      + `${many('concurrent')} concurrent`]] as const;
  return lines.map(([name, text]) => {
    const element = document.createElement(name);
    element.textContent = text;
    return element;
  });
}

/** The event nearest to a place in the picture, or −1 if none is near. */
function nearest(diagram: Diagram, view: View, x: number, y: number): number {
  const g = geometry(diagram, view);
  let best = -1;
  let least = REACH_PX;
  for (const at of inView(diagram, view).events) {
    const distance = Math.hypot(g.x(diagram.time_s[at]!) - x, g.y(diagram.machine[at]!) - y);
    if (distance < least) [best, least] = [at, distance];
  }
  return best;
}

/** From the selected event to others; from none to the first in view. */
function walkOn(diagram: Diagram, view: View) {
  const { machine, machines, time_s, cause } = diagram;
  const own: number[][] = Array.from({ length: machines }, () => []);
  for (const [at, id] of machine.entries()) own[id]!.push(at);
  const lane = () => own[machine[view.selected]!]!;
  const since = (next: () => number | undefined) =>
    (view.selected < 0 ? inView(diagram, view).events[0] : next());
  const close = (id: number) => own[id]!.reduce((best, at) => {
    const far = (event: number) => Math.abs(time_s[event]! - time_s[view.selected]!);
    return far(at) < far(best) ? at : best;
  }, own[id]![0]!);
  return {
    /** The next event of the machine in a direction: 1 or −1. */
    along: (by: number) => since(() => lane()[lane().indexOf(view.selected) + by]),
    /** The nearest in time on the next line that has any. */
    across: (by: number) => since(() => {
      let id = machine[view.selected]! + by;
      while (own[id]?.length === 0) id += by;
      return own[id] && close(id);
    }),
    /** The machine's first event (0) or its last (−1). */
    end: (place: number) => (view.selected < 0 ? machine.map((_, at) => at) : lane()).at(place),
    /** From a receive to its send, from a send to its first receive. */
    message: () => since(() => (cause[view.selected]! >= 0 ? cause[view.selected]!
      : takers(diagram, view.selected)[0])),
  };
}

/** Mouse, pen and fingers, as what is meant by them. */
function pointer(svg: SVGSVGElement, on: {
  hover(mouse: MouseEvent | null): void;
  click(mouse: MouseEvent): void;
  drag(by_px: number): void;
  zoom(factor: number, about: MouseEvent): void;
}): void {
  const down = new Map<number, PointerEvent>();
  let moved_px = 0;
  const distance = () => {
    const [one, other] = [...down.values()];
    return Math.hypot(one!.clientX - other!.clientX, one!.clientY - other!.clientY);
  };
  svg.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    down.set(event.pointerId, event);
    moved_px = down.size > 1 ? Infinity : 0;
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener('pointermove', (event) => {
    const before = down.get(event.pointerId);
    if (!before) return event.pointerType === 'mouse' ? on.hover(event) : undefined;
    const apart = down.size === 2 ? distance() : 0;
    down.set(event.pointerId, event);
    const by_px = event.clientX - before.clientX;
    moved_px += Math.abs(by_px) + Math.abs(event.clientY - before.clientY);
    if (apart > 0) on.zoom(distance() / apart, event);
    else if (moved_px > 4) on.drag(by_px);
  });
  const up = (event: PointerEvent) => {
    const was = down.delete(event.pointerId);
    if (was && event.type === 'pointerup' && moved_px <= 4) on.click(event);
  };
  svg.addEventListener('pointerup', up);
  svg.addEventListener('pointercancel', up);
  svg.addEventListener('pointerleave', (event) => {
    if (event.pointerType === 'mouse' && down.size === 0) on.hover(null);
  });
  svg.addEventListener('wheel', (event) => {
    // The wheel scrolls the page, unless the diagram has been clicked or Ctrl is held.
    const here = event.ctrlKey || event.metaKey || document.activeElement === svg;
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!here && !sideways) return;
    event.preventDefault();
    if (sideways) on.drag(-(event.deltaX || event.deltaY));
    else on.zoom(Math.exp(-event.deltaY / 300), event);
  }, { passive: false });
}

if (typeof document !== 'undefined') {
  const living = new Map([...document.querySelectorAll<HTMLElement>('.live')]
    .map((figure) => [figure.dataset.run, mount(figure)]));
  for (const link of document.querySelectorAll<HTMLElement>('a.place')) {
    link.addEventListener('click', (event) => {
      event.preventDefault();
      const { run, machine, time } = link.dataset;
      living.get(run)?.goTo(Number(machine), Number(time));
    });
  }
}
