// Small helpers: asking the server, and changing the page without losing focus, text or scroll.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
export const me = () => document.body.dataset.me;

export async function fragment(path) {
  const joint = path.includes('?') ? '&' : '?';
  const answer = await fetch(`${path}${joint}as=${encodeURIComponent(me())}`);
  if (!answer.ok) throw new Error(await problem(answer));
  const template = document.createElement('template');
  template.innerHTML = await answer.text();
  localise(template.content);
  return template.content;
}

export async function api(method, path, body) {
  const options = { method };
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { 'Content-Type': 'application/json' };
  }
  const answer = await fetch(`/sandbox/api${path}`, options);
  if (!answer.ok) throw new Error(await problem(answer));
  return answer.status === 204 ? null : answer.json();
}

export const act = (what, body) => api('POST', `/shoppers/${encodeURIComponent(me())}/${what}`, body);

async function problem(answer) {
  try { return (await answer.json()).detail || `The stand-in answered ${answer.status}.`; }
  catch { return `The stand-in answered ${answer.status}.`; }
}

// Times come from the server in UTC; people read their own clock.
function localise(root) {
  const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
  for (const time of $$('time[data-clock]', root)) {
    time.textContent = new Date(time.dateTime).toLocaleTimeString([], clock);
  }
  for (const time of $$('time[data-stamp]', root)) {
    const date = new Date(time.dateTime);
    const today = date.toDateString() === new Date().toDateString();
    const day = today ? 'Today' : date.toLocaleDateString([], { weekday: 'short', day: 'numeric', month: 'short' });
    time.textContent = `${day} ${date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}`;
  }
}

const keyOf = (node) => node.nodeType !== 1 ? `#${node.nodeType}`
  : node.dataset?.key || node.id || `${node.tagName}.${node.classList?.[0] ?? ''}`;

// Make `old` look like `fresh`, touching only what differs. What scripts own (data-keep) stays.
export function morph(old, fresh) {
  if (old.nodeType !== 1) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.hasAttribute('data-keep') || old.isEqualNode(fresh)) return;
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  morphChildren(old, fresh);
}

export function morphChildren(old, fresh) {
  const waiting = new Map();
  for (const child of old.childNodes) {
    const key = keyOf(child);
    waiting.set(key, [...(waiting.get(key) ?? []), child]);
  }
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const match = waiting.get(keyOf(wanted))?.shift();
    if (match && match.nodeName === wanted.nodeName) {
      if (match === place) place = place.nextSibling;
      else old.insertBefore(match, place);
      morph(match, wanted);
    } else {
      old.insertBefore(wanted, place);
    }
  }
  for (const rest of [...waiting.values()].flat()) rest.remove();
}

// Many events in a moment cause one refresh, and refreshes never overlap.
export function gentle(work, pause = 150) {
  let timer = null;
  let running = false;
  let again = false;
  const run = async () => {
    timer = null;
    if (running) { again = true; return; }
    running = true;
    try { await work(); } catch (error) { console.warn(error); }
    running = false;
    if (again) { again = false; request(); }
  };
  const request = () => { timer ??= setTimeout(run, pause); };
  return request;
}

let bannerTimer = null;
export function showBanner(title, text, { face = '', href = '' } = {}) {
  const banner = $('#banner');
  banner.replaceChildren();
  if (face) {
    const image = Object.assign(new Image(), { src: `/avatars/${face}.png`, alt: '', className: 'face' });
    banner.append(image);
  }
  const words = document.createElement('span');
  const strong = document.createElement('b');
  const line = document.createElement('span');
  strong.textContent = title;
  line.textContent = text;
  words.append(strong, line);
  banner.append(words);
  banner.onclick = () => { banner.hidden = true; if (href) location.hash = href; };
  banner.hidden = true;
  void banner.offsetWidth; // restart the entrance
  banner.hidden = false;
  announce(`${title}: ${text}`);
  clearTimeout(bannerTimer);
  bannerTimer = setTimeout(() => { banner.hidden = true; }, 6000);
}
export const hideBanner = () => { $('#banner').hidden = true; };
export const complain = (error) => showBanner('That did not work', error.message);
export const announce = (text) => { $('#announcer').textContent = text; };
