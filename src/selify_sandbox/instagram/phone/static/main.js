// The phone: screens by address, the live stream, and what feed and profiles can do.
import { $, $$, act, announce, api, complain, fragment, gentle, hideBanner, me, morph, showBanner } from './dom.js';
import { close, openComments, openPicture, openStory, refreshComments } from './layer.js';
import { refreshControls, refreshDeliveries } from './board.js';
import * as thread from './thread.js';

const screen = $('#screen');
const SCREENS = new Set(['feed', 'inbox', 'requests', 'people', 'thread', 'brand', 'post']);
const scrolls = new Map();
let shown = '';

function route() {
  const [name, detail] = location.hash.replace(/^#\//, '').split('/');
  if (!SCREENS.has(name)) return me() ? 'feed' : 'people';
  return detail ? `${name}/${detail}` : name;
}

async function show({ focus = true } = {}) {
  const wanted = route();
  let content;
  try { content = await fragment(`/phone/${wanted}`); }
  catch (error) { complain(error); if (wanted !== 'feed') location.hash = '#/feed'; return; }
  if (wanted !== route()) return;
  remember();
  close();
  hideBanner();
  const view = content.firstElementChild;
  screen.replaceChildren(view);
  const box = $('[data-scroll]', view);
  if (box) box.scrollTop = wanted === shown ? 0 : scrolls.get(box.dataset.scroll) ?? 0;
  const changed = wanted !== shown;
  shown = wanted;
  mark(wanted.split('/')[0]);
  if (wanted.startsWith('thread/')) thread.entered();
  if (focus && changed) { screen.focus({ preventScroll: true }); announce(view.dataset.title); }
  news();
}

function remember() {
  const box = $('[data-scroll]', screen);
  if (box) scrolls.set(box.dataset.scroll, box.scrollTop);
}

function mark(name) {
  const tab = { thread: 'inbox', requests: 'inbox', brand: 'feed', post: 'feed' }[name] ?? name;
  for (const link of $$('[data-tab]')) {
    if (link.dataset.tab === tab) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

const refreshScreen = gentle(async () => {
  const wanted = route();
  if (wanted.startsWith('thread/') || wanted !== shown) return;
  const fresh = (await fragment(`/phone/${wanted}`)).firstElementChild;
  if (wanted === shown && screen.firstElementChild) {
    for (const form of $$('form', screen)) form.dataset.keep = '';
    morph(screen.firstElementChild, fresh);
    badge(lastNews);
  }
}, 200);

// Unread counts, and a banner for what arrives while something else is open -------------------

let lastNews = { unread: 0, requests: 0, newest: null };
let lastMid = null;
const news = gentle(async () => {
  const first = lastMid === null;
  lastNews = await (await fetch(`/phone/news?as=${encodeURIComponent(me())}`)).json();
  badge(lastNews);
  const { newest } = lastNews;
  if (newest && newest.mid !== lastMid && !first && thread.view()?.dataset.account !== newest.username) {
    const title = newest.request ? `${newest.name} wants to write to you` : newest.name;
    showBanner(title, newest.preview, { face: newest.username, href: `#/thread/${newest.username}` });
  }
  lastMid = newest?.mid ?? '';
}, 120);

function badge({ unread, requests }) {
  const count = unread + requests;
  for (const element of [$('#unread'), ...$$('[data-unread]')]) {
    element.hidden = !count;
    element.textContent = count;
    element.setAttribute('aria-label', `${count} unread`);
  }
}

// Who holds the phone -------------------------------------------------------------------------

function become(username) {
  document.body.dataset.me = username;
  const address = new URL(location.href);
  address.searchParams.set('as', username);
  address.hash = '#/feed';
  history.pushState(null, '', address);
  $('#my-face').src = `/avatars/${username}.png`;
  lastMid = null;
  shown = '';
  show();
  refreshControls();
  announce(`You are ${username} now`);
}

// What feed and profiles can do ---------------------------------------------------------------

async function like(button, on) {
  const pressed = button.getAttribute('aria-pressed') === 'true';
  if (pressed === on) return;
  button.setAttribute('aria-pressed', String(on));
  await act('likes', { post: button.dataset.like, on });
  refreshScreen();
}

screen.addEventListener('click', async (event) => {
  const button = event.target.closest('button, a');
  if (!button) return;
  const { dataset } = button;
  try {
    if (dataset.like) await like(button, button.getAttribute('aria-pressed') !== 'true');
    else if (dataset.comments) await openComments(dataset.comments);
    else if (dataset.story) await openStory(dataset.story);
    else if (dataset.zoom) openPicture(dataset.zoom);
    else if (dataset.become) become(dataset.become);
    else if (dataset.share) {
      await act('share', { account: dataset.shop, post: dataset.share });
      location.hash = `#/thread/${dataset.shop}`;
    } else if (dataset.relate) {
      const truth = (name) => (name in dataset ? dataset[name] === 'true' : null);
      await act('relation', { account: dataset.relate, follows: truth('follows'), blocked: truth('blocked') });
      if (thread.view()) thread.refresh(); else refreshScreen();
      refreshControls();
    } else if ('back' in dataset && history.length > 1) { event.preventDefault(); history.back(); }
  } catch (error) { complain(error); }
});

screen.addEventListener('dblclick', async (event) => {
  const picture = event.target.closest('[data-like-on-double]');
  if (!picture) return;
  const burst = $('.burst', picture);
  burst.classList.remove('go');
  void burst.offsetWidth;
  burst.classList.add('go');
  const button = $(`[data-like="${picture.dataset.likeOnDouble}"]`, screen);
  await like(button, true).catch(complain);
});

screen.addEventListener('submit', async (event) => {
  if (!event.target.matches('[data-person-form]')) return;
  event.preventDefault();
  const username = event.target.elements.username.value.trim();
  const name = username.split(/[._]/).filter(Boolean).map((word) => word[0].toUpperCase() + word.slice(1)).join(' ');
  try {
    await api('POST', '/shoppers', { username, name });
    become(username);
  } catch (error) { complain(error); }
});

// The live stream -----------------------------------------------------------------------------

function changed(note) {
  const [kind, id] = note.topic.split(':');
  if (kind === 'deliveries') refreshDeliveries();
  else if (kind === 'switchboard') refreshControls();
  else if (kind === 'comments') { refreshComments(id).catch(console.warn); refreshScreen(); }
  else if (kind === 'feed' || kind === 'people') refreshScreen();
  else if (kind === 'typing' && thread.view()?.dataset.thread === id) thread.typing(note.on);
  else if (kind === 'thread' || kind === 'unread') {
    const open = thread.view();
    if (open && (open.dataset.thread === id || !open.dataset.thread)) thread.refresh();
    else refreshScreen();
    news();
    refreshControls();
  }
}

function everything() {
  if (thread.view()) thread.refresh(); else refreshScreen();
  news();
  refreshControls();
  refreshDeliveries();
}

function listen() {
  const source = new EventSource('/live');
  const lamp = $('#link');
  source.onopen = () => { lamp.dataset.state = 'live'; $('span', lamp).textContent = 'live'; everything(); };
  source.onerror = () => { lamp.dataset.state = 'wait'; $('span', lamp).textContent = 'reconnecting'; };
  source.onmessage = ({ data }) => changed(JSON.parse(data));
}

window.addEventListener('hashchange', () => show());
window.addEventListener('popstate', () => {
  const person = new URL(location.href).searchParams.get('as');
  if (person && person !== me()) { document.body.dataset.me = person; shown = ''; show(); }
});
show({ focus: false });
refreshDeliveries();
listen();
