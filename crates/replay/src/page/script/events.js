// The list of events: only rows in sight exist, so that ten thousand are no burden.
const list = { shown: [], height: 29, active: -1, first: -1 };

function rowHeight() { return matchMedia('(max-width: 640px)').matches ? 54 : 29; }
function passes(e, words, step) {
  if (view.hidden.has(e.log)) return false;
  if (view.kinds.size && !view.kinds.has(e.kind)) return false;
  if (view.inView && (e.t < view.from || e.t > view.to)) return false;
  if (step && !(e.lanes.includes(step.lane.index) && e.t >= step.from && e.t <= step.end)) return false;
  if (!words.length) return true;
  const text = `${record(e)} ${e.kind} ${e.about} ${e.says}`.toLowerCase();
  return words.every(word => text.includes(word));
}
function filterEvents() {
  const words = view.text.toLowerCase().split(/\s+/).filter(Boolean);
  const step = view.inStep && view.selected && view.selected.step;
  list.shown = E.filter(e => passes(e, words, step));
  list.height = rowHeight();
  $('count').textContent = list.shown.length === E.length ? `${E.length}` : `${list.shown.length} of ${E.length}`;
  const chosen = view.selected && view.selected.event;
  list.active = chosen ? list.shown.indexOf(chosen) : -1;
  $('rows').style.height = `${list.shown.length * list.height}px`;
  list.first = -1;
  if (list.active >= 0) reveal(list.active);
  drawScopes(step);
  drawRows();
}
function reveal(index) {
  const box = $('events'), top = index * list.height;
  if (top < box.scrollTop || top + list.height > box.scrollTop + box.clientHeight) box.scrollTop = Math.max(0, top - box.clientHeight / 3);
}
/** Brings what happened at the cursor into sight. */
function revealCursor() {
  if (list.active >= 0) return;
  $('events').scrollTop = Math.max(0, list.shown.findIndex(e => e.t >= view.cursor) - 1) * list.height;
  drawRows();
}
function drawRows() {
  // A list that got shorter was scrolled further than it is long now.
  const box = $('events'), top = Math.min(box.scrollTop, Math.max(0, list.shown.length * list.height - box.clientHeight));
  const first = Math.max(0, Math.floor(top / list.height) - 10);
  const last = Math.min(list.shown.length, first + Math.ceil((box.clientHeight || 400) / list.height) + 20);
  const rows = [];
  for (let index = first; index < last; index++) {
    const e = list.shown[index];
    rows.push(el('div', {
      class: `row ${color(e.log)}${e.failed ? ' failed' : ''}`, role: 'option', id: `event-${e.i}`, 'aria-selected': String(index === list.active),
      'aria-posinset': index + 1, 'aria-setsize': list.shown.length, style: `top:${index * list.height}px`, onclick: () => select({ event: e }),
    }, el('span', { class: 't' }, clock(e.t)), el('span', { class: 'id' }, record(e)), el('span', { class: 'kind' }, e.kind), el('span', { class: 'about', title: e.about }, e.about), el('span', { class: 'says', title: e.says }, e.says)));
  }
  $('rows').replaceChildren(...(rows.length ? rows : [el('p', { class: 'none' }, 'No event passes these filters.')]));
  if (list.active >= 0) box.setAttribute('aria-activedescendant', `event-${list.shown[list.active].i}`);
  else box.removeAttribute('aria-activedescendant');
}
function drawScopes(step) {
  const chip = (text, pressed, toggle) => el('button', { type: 'button', 'aria-pressed': String(pressed), onclick: () => { toggle(); changed('filter'); } }, text);
  $('scopes').replaceChildren(
    ...(view.selected && view.selected.step ? [chip(`Only ${view.selected.step.name}`, Boolean(step), () => { view.inStep = !view.inStep; })] : []),
    chip('In the visible span', view.inView, () => { view.inView = !view.inView; }));
}
function listenEvents() {
  const box = $('events');
  box.addEventListener('scroll', () => requestAnimationFrame(drawRows));
  box.addEventListener('keydown', event => {
    const page = Math.max(1, Math.floor(box.clientHeight / list.height) - 1), end = list.shown.length - 1;
    const to = { ArrowDown: list.active + 1, ArrowUp: list.active - 1, PageDown: list.active + page, PageUp: list.active - page, Home: 0, End: end }[event.key];
    if (to === undefined || !list.shown.length) return;
    event.preventDefault();
    select({ event: list.shown[Math.min(Math.max(to, 0), end)] });
  });
  $('search').addEventListener('input', () => { view.text = $('search').value; changed('filter'); });
}
