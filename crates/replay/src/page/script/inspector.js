// The column beside the chart: how everything stands at the cursor, and what was selected.

/** Where a lane stands at a time: {step, wait}, complete, or nothing yet. */
function standing(lane, t) {
  if (t > lane.end) return { unknown: true };
  let walk = null;
  for (const other of lane.walks) if (other.from <= t) walk = other;
  if (!walk) return null;
  const gone = walk.complete && walk.runbook === 'deletion' && walk.until !== null && walk.until <= t;
  const step = walk.steps[lastAtMost(walk.steps, t, step => step.from)];
  if (!step || step.end < t || (step.end === t && !step.open && step.from !== t)) return { walk, gone, complete: true };
  const wait = step.waits[lastAtMost(step.waits, t, wait => wait[3])];
  return { walk, step, wait };
}
function selectedGroups() {
  const chosen = view.selected && (view.selected.step ? [view.selected.step.lane.index] : view.selected.event.lanes);
  const of = chosen && D.groups.filter(group => group.lanes.some(lane => chosen.includes(lane)));
  if (of && of.length) return of.slice(0, 3);
  if (D.groups.length <= 3) return D.groups;
  // Those that are in the middle of something come first.
  const busy = D.groups.filter(group => group.lanes.some(lane => { const now = standing(D.lanes[lane], view.cursor); return now && now.step; }));
  return (busy.length ? busy : D.groups).slice(0, 3);
}
/** What was last reported of a lane: of a VRG its state, of a DRPC its conditions too. */
function reported(lane, t) {
  lane.reports ||= lane.events.filter(e => e.kind === 'Commanded' && /^Write(Drpc|Vrg)Status /.test(e.says));
  const e = lane.reports[lastAtMost(lane.reports, t, e => e.t)];
  if (!e) return null;
  const text = e.says.replace(/^Write\w+Status /, '').replace(/ \((done|no outcome|refused|conflict|unreachable|outcome).*$/, '');
  return el('small', { title: text }, 'reported: ', e.says.startsWith('WriteVrg') ? text.split(':')[0] : text, ' ', eventLink(e));
}
function drawState() {
  $('cursor-title').textContent = `At ${clock(view.cursor)}`;
  const groups = selectedGroups();
  const list = el('dl', { class: 'at' });
  for (const group of groups) {
    if (D.groups.length > 1) list.append(el('div', { class: 'app' }, group.name));
    for (const number of group.lanes) {
      const lane = D.lanes[number];
      if (!shownLane(lane)) continue;
      const now = standing(lane, view.cursor);
      list.append(el('dt', { class: color(lane.log) }, el('i', { class: 'dot' }), lane.log_name));
      if (!now) list.append(el('dd', { class: 'hint' }, 'nothing to do yet'));
      else if (now.unknown) list.append(el('dd', { class: 'waits' }, `not known: its log ends at ${clock(lane.end)}`));
      else if (now.gone) list.append(el('dd', { class: 'hint' }, 'is gone'));
      else if (!now.step) list.append(el('dd', {}, now.walk.complete ? el('span', { class: 'good' }, 'complete') : 'at rest', el('small', {}, now.walk.action), reported(lane, view.cursor) || ''));
      else list.append(el('dd', {},
        el('button', { type: 'button', class: 'link', onclick: () => select({ step: now.step }) }, now.step.name),
        el('small', {}, now.wait ? `waits for ${now.wait[0]}${now.wait[1] ? ' on ' + now.wait[1] : ''}, for ${span(view.cursor - now.wait[3])} now` : now.walk.action),
        reported(lane, view.cursor) || ''));
    }
  }
  const more = D.groups.length - groups.length;
  $('state').replaceChildren(list, more > 0 ? el('p', { class: 'help' }, `and ${more} more applications; select one of their steps to see them here`) : '');
}

const eventLink = (e, text) => el('button', { type: 'button', class: 'link', onclick: () => select({ event: e }) }, text || record(e));

function drawSelected() {
  const box = $('selected'), what = view.selected;
  if (!what) {
    box.replaceChildren(el('p', { class: 'hint' }, 'Select a step or an event to see what it waited for, what caused it, and what came of it.'));
    return;
  }
  box.replaceChildren(...(what.step ? stepDetails(what.step) : eventDetails(what.event)));
}
function stepDetails(step) {
  const events = step.lane.events.filter(e => e.t >= step.from && e.t <= step.end);
  const commands = events.filter(e => e.kind === 'Commanded');
  const opened = step.left !== null && E[step.left];
  const remedy = step.waits.map(wait => wait[2]).filter(Boolean).at(-1);
  return [
    el('h2', {}, 'Step'),
    el('h3', {}, step.name),
    el('p', { class: 'sub' }, `${step.lane.log_name} · ${step.lane.name} · ${step.walk.action}`),
    el('dl', { class: 'at' },
      el('dt', {}, 'took'), el('dd', { class: 'num' }, `${span(step.end - step.from)}${step.open ? ' so far' : ''}, from ${clock(step.from)}`),
      el('dt', {}, 'entered'), el('dd', {}, eventLink(E[step.entry])),
      el('dt', {}, 'left'), el('dd', {}, opened ? [eventLink(opened), opened.cause !== null && E[opened.cause] ? [' because of ', eventLink(E[opened.cause])] : null].flat() : 'not yet')),
    step.waits.length ? el('h4', {}, 'Waited for') : null,
    el('ul', { class: 'list' }, step.waits.map(wait => el('li', {}, el('span', { class: 'num' }, span((wait[4] ?? step.end) - wait[3])), wait[0], wait[1] ? ` on ${wait[1]}` : ''))),
    step.open && remedy ? el('p', {}, el('b', {}, 'If it lasts: '), remedy) : null,
    commands.length ? el('h4', {}, 'Commands') : null,
    el('ul', { class: 'list' }, commands.slice(0, 12).map(e => el('li', {}, eventLink(e), ' ', e.says))),
    el('p', { class: 'help' }, `${events.length} events concern this step; they are in the list of events.`),
  ].filter(Boolean);
}
/** From the event back to what started it. */
function chainOf(e) {
  const chain = [e];
  while (e.cause !== null && E[e.cause] && chain.length < 40) { e = E[e.cause]; chain.push(e); if (e.kind === 'Finished' && e.link !== null && chain.length < 40) { e = E[e.link]; chain.push(e); } }
  return chain.reverse();
}
function eventDetails(e) {
  const chain = chainOf(e), effects = e.effects.map(i => E[i]);
  const shown = chain.length > 8 ? [chain[0], null, ...chain.slice(-6)] : chain;
  const linked = e.link !== null && E[e.link];
  return [
    el('h2', {}, e.kind === 'Commanded' ? 'Command' : e.kind === 'Observed' || e.kind === 'Gone' ? 'Fact' : e.kind),
    el('h3', {}, e.about || e.says),
    el('p', { class: 'sub num' }, `${record(e)} · ${clock(e.t)}`),
    el('p', { class: e.failed ? 'bad' : '' }, e.says),
    linked ? el('h4', {}, e.kind === 'Commanded' ? 'Outcome' : 'Command') : null,
    linked ? el('ul', { class: 'list' }, el('li', { class: linked.failed ? 'bad' : '' }, eventLink(linked), ' ', el('span', { class: 'num' }, span(Math.abs(linked.t - e.t))), linked.says)) : null,
    e.kind === 'Commanded' && !linked ? el('p', { class: 'waits' }, 'No outcome was recorded: the process ended, or the log does.') : null,
    Array.isArray(e.detail) && e.detail.length ? el('h4', {}, 'What is new') : null,
    Array.isArray(e.detail) && e.detail.length ? el('table', { class: 'changes' }, e.detail.map(row => el('tr', {}, el('th', { scope: 'row' }, row[0]), el('td', {}, el('del', {}, row[1] || '—'), ' → ', el('ins', {}, row[2] || '—'))))) : null,
    typeof e.detail === 'string' ? el('h4', {}, e.kind === 'Commanded' ? 'What is asked' : 'All of it') : null,
    typeof e.detail === 'string' ? el('pre', { tabindex: '0' }, e.detail) : null,
    chain.length > 1 ? el('h4', {}, 'How it came to this') : null,
    chain.length > 1 ? el('ol', { class: 'chain' }, shown.map(one => one === null
      ? el('li', { class: 'hint' }, `${chain.length - 7} more`)
      : el('li', { class: color(one.log), 'aria-current': one === e ? 'true' : null }, eventLink(one), ' ', one.kind === 'Observed' ? `${one.about}: ${one.says}`.slice(0, 150) : one.says.slice(0, 150), one.likely ? el('span', { class: 'hint', title: 'not recorded: the object changed after our last command about it' }, ' (likely because of that)') : null))) : null,
    effects.length ? el('h4', {}, 'What came of it') : null,
    effects.length ? el('ul', { class: 'list' }, effects.slice(0, 12).map(one => el('li', { class: color(one.log) }, eventLink(one), ' ', one.says.slice(0, 160))), effects.length > 12 ? el('li', { class: 'hint' }, `and ${effects.length - 12} more`) : null) : null,
  ].filter(Boolean);
}
