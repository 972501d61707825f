// What is looked at: a span of time, a cursor, a choice. Parts of the page listen and draw themselves anew.
const view = {
  from: 0, to: LENGTH, cursor: 0,
  hidden: new Set(),            // logs that are not shown
  kinds: new Set(),             // kinds of events that are shown; none means all
  selected: null,               // {step} or {event}
  inStep: true, inView: false, text: '',
};
const listeners = { view: [], cursor: [], selected: [], filter: [], list: [] };
const pending = new Set();
const on = (what, listener) => listeners[what].push(listener);
/** Has what depends on `what` drawn, once per frame. */
function changed(...what) {
  if (!pending.size) requestAnimationFrame(() => {
    const now = new Set(Object.keys(listeners).filter(name => pending.has(name)).flatMap(name => listeners[name]));
    pending.clear();
    now.forEach(listener => listener());
  });
  what.forEach(name => pending.add(name));
}

/** Looks at a span, at least 4 ms, within the whole with some air around it. */
function look(from, to) {
  const air = LENGTH * 0.02;
  let width = Math.min(Math.max(to - from, 4), LENGTH + 2 * air);
  from = Math.min(Math.max(from, -air), LENGTH + air - width);
  view.from = from;
  view.to = from + width;
  changed('view');
}
function zoom(factor, around = (view.from + view.to) / 2) {
  look(around - (around - view.from) * factor, around + (view.to - around) * factor);
}
function fit() { look(-LENGTH * 0.02, LENGTH * 1.02); }
function setCursor(t, follow = true) {
  view.cursor = Math.min(Math.max(t, 0), LENGTH);
  const width = view.to - view.from;
  if (follow && (view.cursor < view.from || view.cursor > view.to)) look(view.cursor - width / 2, view.cursor + width / 2);
  changed('cursor');
}
function select(what) {
  view.selected = what;
  if (what && what.step) {
    view.inStep = true;
    setCursor(Math.min(Math.max(view.cursor, what.step.from), what.step.end));
  }
  if (what && what.event) setCursor(what.event.t);
  changed('selected', 'filter');
}
const shownLane = lane => !view.hidden.has(lane.log);
