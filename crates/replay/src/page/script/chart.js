// The chart: an overview to choose a span in, an axis, and lanes with steps as bars and events as marks.
const PRIME = { Commanded: 1, Finished: 1, Moved: 1 };
let css = null;
function colors() {
  const style = getComputedStyle(document.documentElement);
  const of = name => style.getPropertyValue(name).trim();
  css = { k: [0, 1, 2, 3, 4, 5].map(n => of('--k' + n)), line: of('--line'), quiet: of('--quiet'), accent: of('--accent'), bad: of('--bad') };
}
/** A canvas in pixels of the device. */
function canvas(element) {
  const ratio = window.devicePixelRatio || 1, box = element.getBoundingClientRect();
  element.width = Math.max(1, Math.round(box.width * ratio));
  element.height = Math.max(1, Math.round(box.height * ratio));
  const context = element.getContext('2d');
  context.scale(ratio, ratio);
  return [context, box.width, box.height];
}

// ---- overview
function drawOverview() {
  const [c, width, height] = canvas($('overview'));
  const x = t => t / LENGTH * width, bins = new Map();
  for (const e of E) {
    if (view.hidden.has(e.log)) continue;
    const key = Math.floor(x(e.t) / 3);
    if (!bins.has(key)) bins.set(key, []);
    const bin = bins.get(key);
    bin[e.log] = (bin[e.log] || 0) + 1;
  }
  let most = 1;
  for (const bin of bins.values()) most = Math.max(most, bin.reduce((a, b) => a + (b || 0), 0));
  for (const [key, bin] of bins) {
    let y = height - 2;
    bin.forEach((count, log) => {
      const tall = Math.max(1, Math.sqrt(count / most) * (height - 8));
      c.fillStyle = css.k[log % 6];
      c.fillRect(key * 3, y - tall, 2, tall);
      y -= tall;
    });
  }
  const [from, to] = [Math.max(0, x(view.from)), Math.min(width, x(view.to))];
  c.fillStyle = css.accent;
  c.globalAlpha = 0.1;
  c.fillRect(from, 0, to - from, height);
  c.globalAlpha = 1;
  c.fillRect(from, 0, 1.5, height);
  c.fillRect(to - 1.5, 0, 1.5, height);
}
function listenOverview() {
  const overview = $('overview');
  let start = null;
  const at = event => {
    const box = overview.getBoundingClientRect();
    return (event.clientX - box.left) / box.width * LENGTH;
  };
  overview.addEventListener('pointerdown', event => { start = at(event); overview.setPointerCapture(event.pointerId); });
  overview.addEventListener('pointermove', event => {
    if (start !== null && Math.abs(at(event) - start) > LENGTH / 200) look(Math.min(start, at(event)), Math.max(start, at(event)));
  });
  overview.addEventListener('pointerup', event => {
    if (start !== null && Math.abs(at(event) - start) <= LENGTH / 200) {
      const half = (view.to - view.from) / 2;
      look(start - half, start + half);
      setCursor(start);
    }
    start = null;
  });
}

// ---- axis
const UNITS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 216e5, 864e5];
function drawAxis() {
  const axis = $('axis'), lanes = $('lanes');
  // A scroll bar takes its width off the lanes.
  axis.style.marginRight = `${lanes.offsetWidth - lanes.clientWidth}px`;
  const width = axis.clientWidth || 1, length = view.to - view.from;
  const unit = UNITS.find(unit => unit / length * width >= 92) || 864e5;
  const marks = [];
  for (let t = Math.ceil((D.start + view.from) / unit) * unit - D.start; t <= view.to; t += unit) {
    const text = unit >= 60000 ? clock(t).slice(0, 5) : unit >= 1000 ? clock(t).slice(0, 8) : clock(t);
    marks.push(el('span', { style: `left:${(t - view.from) / length * 100}%` }, text));
  }
  axis.replaceChildren(...marks);
}

// ---- what people did and what befell the world
const MARK = { high: 22, letter: 6.1, most: 260, rows: 8 };
function buildMarks() {
  const lane = $('marks');
  lane.hidden = !D.marks.length;
  if (D.marks.length) lane.append(el('div', { class: 'name' }, 'people and faults'), el('div', { class: 'track' }));
}
function drawMarkers() {
  const lane = $('marks'), track = lane.querySelector('.track');
  if (!track) return;
  track.style.marginRight = $('axis').style.marginRight;
  const width = track.clientWidth || 1, pixel = (view.to - view.from) / width;
  const ends = [];
  const shown = [];
  for (const [from, until, words, fault] of D.marks) {
    const end = until ?? from;
    if (end < view.from || from > view.to) continue;
    const left = Math.max((from - view.from) / pixel, 0), right = Math.min((end - view.from) / pixel, width);
    // What would leave the track on the right stands to the left of its moment.
    const label = Math.min(words.length * MARK.letter + 12, MARK.most);
    const turned = left + label > width && right - left < label;
    const begin = turned ? Math.max(right - label, 0) : left;
    let row = ends.findIndex(end => end < begin);
    if (row < 0) row = ends.length < MARK.rows ? ends.length : MARK.rows - 1;
    ends[row] = Math.max(right, begin + label) + 4;
    const text = `${clock(from)}${until === null ? '' : `, for ${span(until - from)}`}: ${words}`;
    shown.push(el('div', { class: 'marker' + (fault ? ' fault' : '') + (turned ? ' turned' : ''), title: text, 'aria-label': text, role: 'img',
      style: `left:${left}px;width:${Math.max(right - left, 2)}px;top:${row * MARK.high + 2}px` },
    el('span', { style: `max-width:${Math.max(MARK.most, right - left)}px` }, words)));
  }
  lane.style.height = track.style.height = `${Math.max(ends.length, 1) * MARK.high + 6}px`;
  track.replaceChildren(...shown);
}

// ---- lanes
const rows = [];
let watcher = null;
function buildLanes() {
  const many = D.groups.length > 4;
  const groups = D.groups.map((group, index) => {
    const lanes = el('div', {});
    const build = () => {
      if (lanes.childElementCount) return;
      for (const number of group.lanes.slice(1)) lanes.append(buildLane(D.lanes[number]));
    };
    // Of many applications, what the clusters did is shown on request.
    const first = buildLane(D.lanes[group.lanes[0]]);
    const open = !many || index === 0;
    if (open) build(); else lanes.hidden = true;
    if (!many) return el('section', { class: 'group', 'aria-label': group.name }, el('h3', {}, group.name), first, lanes);
    const button = el('button', { type: 'button', 'aria-expanded': String(open), onclick: () => {
      build();
      lanes.hidden = !lanes.hidden;
      button.setAttribute('aria-expanded', String(!lanes.hidden));
      changed('view');
    } }, group.name);
    group.open = () => { if (lanes.hidden) button.click(); };
    return el('section', { class: 'group' }, button, first, lanes);
  });
  watcher = new IntersectionObserver(entries => {
    for (const entry of entries) {
      const row = rows.find(row => row.track === entry.target);
      if (row) { row.near = entry.isIntersecting; if (row.near && row.stale) drawLane(row); }
    }
  }, { rootMargin: '300px' });
  $('lanes').replaceChildren(...groups);
  rows.forEach(row => watcher.observe(row.track));
}
function buildLane(lane) {
  const marks = el('canvas', { 'aria-hidden': 'true' });
  const bars = el('div', {});
  const track = el('div', { class: 'track' }, bars, marks);
  const name = el('div', { class: 'name', title: lane.name }, el('i', { class: 'dot' }), lane.log_name, el('small', {}, lane.name.split('/')[0]));
  const element = el('div', { class: 'lane ' + color(lane.log), role: 'group', 'aria-label': `${lane.log_name}, ${lane.name}` }, name, track);
  const row = { lane, element, track, bars, marks, near: true, stale: true };
  rows.push(row);
  if (watcher) watcher.observe(track);
  return element;
}
function drawLanes() {
  for (const row of rows) {
    row.element.hidden = !shownLane(row.lane);
    row.element.style.display = row.element.hidden ? 'none' : '';
    row.stale = true;
    if (row.near && !row.element.hidden && row.track.offsetParent) drawLane(row);
  }
  const tabbable = document.querySelector('.step[tabindex="0"]') || document.querySelector('button.step');
  if (tabbable) tabbable.tabIndex = 0;
}
function label(step) {
  const waits = step.waits.map(wait => `${wait[0]}${wait[1] ? ' on ' + wait[1] : ''} (${span((wait[4] ?? step.end) - wait[3])})`);
  return `${step.lane.log_name}: ${step.name}, ${span(step.end - step.from)} from ${clock(step.from)}${step.open ? ', goes on' : ''}` + (waits.length ? `. Waited for ${waits.slice(0, 4).join('; ')}${waits.length > 4 ? `; and ${waits.length - 4} more` : ''}` : '');
}
function drawLane(row) {
  row.stale = false;
  const length = view.to - view.from, width = row.track.clientWidth || 1, pixel = length / width;
  const percent = t => (t - view.from) / length * 100;
  const focused = document.activeElement && document.activeElement.step;
  const bars = [];
  let right = -Infinity;
  for (const step of row.lane.steps) {
    if (step.end < view.from || step.from > view.to) continue;
    const chosen = view.selected && view.selected.step === step;
    // Where steps are too short to be told apart, the first stands for all.
    if (!chosen && step !== focused && step.end < right + 2 * pixel) continue;
    right = Math.max(step.end, step.from + 3 * pixel);
    const wide = (step.end - step.from) / pixel;
    const from = Math.max(percent(step.from), -1), to = Math.min(percent(step.end), 101);
    const bar = el('button', {
      type: 'button', class: 'step' + (step.open ? ' open' : ''), tabindex: '-1', 'aria-label': label(step), title: label(step),
      'aria-pressed': String(Boolean(chosen)), style: `left:${from}%;width:calc(${Math.max(to - from, 0)}% - 1px)`,
    });
    if (wide > 60) for (const [index, wait] of step.waits.entries()) {
      if (index % 2 === 0) continue;
      const all = step.end - step.from || 1;
      bar.append(el('i', { style: `left:${(wait[3] - step.from) / all * 100}%;width:${((wait[4] ?? step.end) - wait[3]) / all * 100}%` }));
    }
    if (wide > 34) {
      // The name stays in sight while its bar goes off the left edge.
      const off = Math.max(0, (view.from - step.from) / pixel - (view.from - Math.max(step.from, view.from - length * 0.01)) / pixel);
      bar.append(el('span', off > 0 && from <= -1 ? { style: 'left:14px' } : {}, step.name));
    }
    bar.step = step;
    bars.push(bar);
    if (step === focused || chosen) bar.tabIndex = 0;
  }
  for (const walk of row.lane.walks) {
    if (walk.complete && walk.until !== null && walk.until >= view.from && walk.until <= view.to && (walk.until - walk.from) / pixel > 24) {
      bars.push(el('span', { class: 'step done', 'aria-hidden': 'true', style: `left:${percent(walk.until)}%` }, '✓'));
    }
  }
  row.bars.replaceChildren(...bars);
  if (focused && focused.lane === row.lane) { const again = bars.find(bar => bar.step === focused); if (again) again.focus({ preventScroll: true }); }
  drawMarks(row, pixel);
}
/** Marks: commands and what became of them tall, facts short, failures in red. */
function drawMarks(row, pixel) {
  const [c, , height] = canvas(row.marks);
  const events = row.lane.events;
  const first = Math.max(0, lastAtMost(events, view.from - 2 * pixel, e => e.t));
  let last = -1;
  for (let index = first; index < events.length; index++) {
    const e = events[index];
    if (e.t > view.to) break;
    const x = Math.round((e.t - view.from) / pixel), prime = PRIME[e.kind];
    if (x === last && !e.failed) continue;
    last = x;
    c.fillStyle = e.failed ? css.bad : css.k[row.lane.log % 6];
    c.globalAlpha = e.failed ? 1 : prime ? 0.85 : 0.4;
    const tall = e.failed ? height : prime ? 8 : 5;
    c.fillRect(x, height - tall, e.failed ? 2.5 : 1.5, tall);
  }
}

// ---- cursor
function drawCursor() {
  const cursor = $('cursor'), axis = $('axis'), x = (view.cursor - view.from) / (view.to - view.from);
  cursor.hidden = x < 0 || x > 1;
  cursor.style.left = `${axis.offsetLeft + x * axis.clientWidth}px`;
  const text = cursor.firstElementChild;
  text.textContent = clock(view.cursor);
  text.style.transform = x < 0.1 ? 'translateX(0)' : x > 0.9 ? 'translateX(-100%)' : 'translateX(-50%)';
}

// ---- mouse and keys
function listenChart() {
  const chart = $('chart');
  const at = event => {
    const box = $('axis').getBoundingClientRect();
    return view.from + (event.clientX - box.left) / box.width * (view.to - view.from);
  };
  let drag = null;
  chart.addEventListener('pointerdown', event => {
    if (event.button !== 0 || event.target.closest('.group > button')) return;
    drag = { x: event.clientX, from: view.from, to: view.to, moved: false, id: event.pointerId };
  });
  chart.addEventListener('pointermove', event => {
    if (!drag) { if (event.pointerType === 'mouse' && event.clientX > $('axis').getBoundingClientRect().left) { view.cursor = Math.min(Math.max(at(event), 0), LENGTH); changed('cursor'); } return; }
    const by = event.clientX - drag.x;
    if (!drag.moved && Math.abs(by) > 4) { drag.moved = true; chart.setPointerCapture(drag.id); chart.classList.add('panning'); }
    if (drag.moved) { const t = by / $('axis').clientWidth * (drag.to - drag.from); look(drag.from - t, drag.to - t); }
  });
  const end = event => {
    if (drag && !drag.moved && event.type === 'pointerup') {
      const bar = event.target.closest('button.step');
      if (bar) select({ step: bar.step });
      setCursor(at(event), false);
    }
    drag = null;
    chart.classList.remove('panning');
  };
  chart.addEventListener('pointerup', end);
  chart.addEventListener('pointercancel', end);
  // Screen readers click without a pointer.
  chart.addEventListener('click', event => {
    const bar = event.target.closest('button.step');
    if (bar && event.detail === 0) select({ step: bar.step });
  });
  chart.addEventListener('wheel', event => {
    if (!(event.ctrlKey || event.metaKey || event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))) return;
    event.preventDefault();
    const width = view.to - view.from;
    if (event.ctrlKey || event.metaKey) zoom(Math.exp(Math.min(Math.max(event.deltaY, -80), 80) / 160), at(event));
    else { const by = (event.deltaX || event.deltaY) / chart.clientWidth * width; look(view.from + by, view.to + by); }
  }, { passive: false });
  chart.addEventListener('keydown', event => {
    const step = event.target.step, width = view.to - view.from;
    const go = {
      '+': () => zoom(0.5, view.cursor), '=': () => zoom(0.5, view.cursor), '-': () => zoom(2, view.cursor), '0': fit,
      ArrowLeft: () => step ? next(step, -1) : setCursor(view.cursor - width * (event.shiftKey ? 0.1 : 0.01)),
      ArrowRight: () => step ? next(step, 1) : setCursor(view.cursor + width * (event.shiftKey ? 0.1 : 0.01)),
      ArrowUp: () => step && beside(step, -1), ArrowDown: () => step && beside(step, 1),
      Home: () => step ? focusStep(step.lane.steps[0]) : setCursor(0), End: () => step ? focusStep(step.lane.steps.at(-1)) : setCursor(LENGTH),
      Enter: () => step && select({ step }), ' ': () => step && select({ step }), Escape: () => select(null),
    }[event.key];
    if (!go || event.ctrlKey || event.metaKey || event.altKey || event.target.closest('.group > button')) return;
    event.preventDefault();
    go();
  });
}
function next(step, by) {
  const steps = step.lane.steps;
  focusStep(steps[Math.min(Math.max(steps.indexOf(step) + by, 0), steps.length - 1)]);
}
/** The step of the lane above or below at the same time. */
function beside(step, by) {
  const lanes = rows.filter(row => !row.element.hidden && row.track.offsetParent && row.lane.steps.length).map(row => row.lane);
  const lane = lanes[lanes.indexOf(step.lane) + by];
  if (lane) focusStep(lane.steps[Math.max(0, lastAtMost(lane.steps, step.from, other => other.from))]);
}
function focusStep(step) {
  if (!step) return;
  const width = view.to - view.from;
  if (step.from < view.from || step.from > view.to) look(step.from - width / 3, step.from + width * 2 / 3);
  setCursor(step.from, false);
  const row = rows.find(row => row.lane === step.lane);
  document.activeElement.step = step; // so that it is drawn even if it is too short to be seen
  drawLane(row);
  const bar = [...row.bars.children].find(bar => bar.step === step);
  if (!bar) return;
  document.querySelectorAll('button.step[tabindex="0"]').forEach(other => { other.tabIndex = -1; });
  bar.tabIndex = 0;
  bar.focus({ preventScroll: true });
  row.element.scrollIntoView({ block: 'nearest' });
}
