'use strict';
// The data, with names; see data.rs for what stands where.
const D = JSON.parse(document.getElementById('data').textContent);
// Entries are referred to by their place in the logs; those that are not on the page are as if they were not known.
const place = new Map(D.events.map((e, i) => [e[0], i]));
const to = index => index === null ? null : place.get(index) ?? null;
const E = D.events.map((e, i) => ({
  i, log: e[1], seq: e[2], t: e[3], kind: D.kinds[e[4]], about: D.abouts[e[5]], cause: to(e[6]), link: to(e[7]),
  failed: (e[8] & 1) === 1, likely: (e[8] & 2) === 2, says: e[9], detail: e[10], lanes: e[11],
}));
for (const e of E) e.effects = [];
for (const e of E) if (e.cause !== null && !e.likely && E[e.cause]) E[e.cause].effects.push(e.i);
const LENGTH = D.length;
D.lanes.forEach((lane, index) => {
  lane.index = index;
  lane.log_name = D.logs[lane.log];
  // Every stay at a step, in order of time, and where a walk was complete.
  lane.steps = [];
  for (const walk of lane.walks) {
    walk.lane = lane;
    for (const step of walk.steps) {
      step.walk = walk;
      step.entry = to(step.entry);
      step.left = to(step.left);
      step.lane = lane;
      step.open = step.until === null;
      step.end = step.open ? lane.end : step.until;
      lane.steps.push(step);
    }
  }
  lane.events = [];
});
for (const e of E) for (const lane of e.lanes) D.lanes[lane].events.push(e);

const $ = id => document.getElementById(id);
const color = log => 'k' + (log % 6);

/** An element: `el('p', {class: 'x', onclick: f}, 'text', child)`. */
function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

const pad = (n, width) => String(n).padStart(width, '0');
/** Time of day of an offset: 23:46:08.379. */
function clock(t) {
  const ms = (D.start + Math.round(t)) % 86400000;
  return `${pad(Math.floor(ms / 3600000), 2)}:${pad(Math.floor(ms / 60000) % 60, 2)}:${pad(Math.floor(ms / 1000) % 60, 2)}.${pad(ms % 1000, 3)}`;
}
/** A span in words, as the tables have it. */
function span(ms) {
  ms = Math.round(ms);
  if (ms < 1000) return `${ms} ms`;
  if (ms < 100000) return `${Math.floor(ms / 1000)}.${Math.floor(ms % 1000 / 100)} s`;
  if (ms < 7200000) return `${Math.floor(ms / 60000)} min ${Math.floor(ms / 1000) % 60} s`;
  return `${Math.floor(ms / 3600000)} h ${Math.floor(ms / 60000) % 60} min`;
}
const record = e => `${D.logs[e.log]}#${e.seq}`;

/** The last element of a list sorted by `key` whose key is at most `value`; -1 if there is none. */
function lastAtMost(list, value, key) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(list[middle]) <= value) low = middle + 1; else high = middle;
  }
  return low - 1;
}
