// Puts it together.
function chips(box, names, pressed, toggle, dot) {
  const draw = () => box.replaceChildren(...names.map((name, index) => el('button', {
    type: 'button', class: dot ? color(index) : null, 'aria-pressed': String(pressed(name, index)),
    onclick: () => { toggle(name, index); draw(); box.children[index].focus(); },
  }, dot ? el('i', { class: 'dot' }) : null, name)));
  draw();
}
/** Looks at the action of a row of the table. */
function lookAtAction(row, scroll) {
  const [from, until] = [Number(row.dataset.from), Number(row.dataset.until)];
  for (const other of $('actions').rows) other.removeAttribute('aria-current');
  row.setAttribute('aria-current', 'true');
  const air = Math.max((until - from) * 0.06, 5);
  const group = D.groups.find(group => group.name === row.cells[0].textContent);
  if (group && group.open) group.open();
  look(from - air, until + air);
  setCursor(from, false);
  changed('list');
  if (!scroll) return;
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  $('chart').scrollIntoView({ block: 'nearest', behavior: calm ? 'auto' : 'smooth' });
}
function listenActions() {
  for (const row of $('actions').rows) {
    row.tabIndex = 0;
    row.title = 'Look at this action';
    row.addEventListener('click', () => lookAtAction(row, true));
    row.addEventListener('keydown', event => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      lookAtAction(row, true);
    });
  }
}
$('stage').hidden = false;
colors();
buildLanes();
buildMarks();
chips($('clusters'), D.logs, (_, log) => !view.hidden.has(log), (_, log) => {
  if (!view.hidden.delete(log)) view.hidden.add(log);
  changed('view', 'filter', 'cursor');
}, true);
const order = ['Observed', 'Gone', 'TimerFired', 'Commanded', 'Finished', 'Moved', 'Started', 'Synced', 'Lost'];
chips($('kinds'), order.filter(kind => D.kinds.includes(kind)), kind => view.kinds.has(kind), kind => {
  if (!view.kinds.delete(kind)) view.kinds.add(kind);
  changed('filter');
});
on('view', drawLanes); on('view', drawAxis); on('view', drawMarkers); on('view', drawOverview); on('view', drawCursor); on('view', () => { if (view.inView) filterEvents(); });
on('cursor', drawCursor); on('cursor', drawState);
on('selected', drawLanes); on('selected', drawSelected); on('selected', drawState);
on('filter', filterEvents); on('list', revealCursor);
listenOverview(); listenChart(); listenEvents(); listenActions();
$('zoom-in').addEventListener('click', () => zoom(0.5));
$('zoom-out').addEventListener('click', () => zoom(2));
$('zoom-fit').addEventListener('click', fit);
addEventListener('resize', () => changed('view', 'filter'));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { colors(); changed('view'); });
addEventListener('beforeprint', () => document.querySelectorAll('details.steps').forEach(details => { details.open = true; }));
// A link to a record: timeline.html#hub-179. Else what goes on, or took longest, is what people came for.
const target = /^#([\w.-]+)-(\d+)$/.exec(location.hash);
const linked = target && E.find(e => D.logs[e.log] === target[1] && e.seq === Number(target[2]));
fit();
const took = row => row.dataset.until - row.dataset.from + ('open' in row.dataset ? LENGTH : 0);
const longest = [...$('actions').rows].sort((a, b) => took(b) - took(a))[0];
if (longest) lookAtAction(longest, false);
select(linked ? { event: linked } : null);
document.documentElement.dataset.ready = 'true';
