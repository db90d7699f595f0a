// One conversation: sending, photos, chips, reactions, typing dots, "seen".
import { $, $$, act, complain, fragment, gentle, morph } from './dom.js';
import { icon } from './layer.js';

const screen = $('#screen');
const EMOJIS = ['❤️', '😂', '😮', '😢', '😡', '👍'];
const NAMES = ['Heart', 'Laughing', 'Surprised', 'Sad', 'Angry', 'Thumbs up'];
let photos = [];
let context = null; // { kind: 'reply' | 'edit', mid }
let typingTimer = null;
let stick = true;
let byHand = false; // whether somebody has moved the conversation since it went to its end

export const view = () => $('.view.thread', screen);
const account = () => view()?.dataset.account;
const talk = () => $('.talk', screen);

export function entered() {
  photos = [];
  context = null;
  stick = true;
  toBottom();
  report();
  const box = talk();
  for (const kind of ['wheel', 'touchmove', 'keydown', 'pointerdown']) {
    box.addEventListener(kind, () => { byHand = true; }, { passive: true });
  }
  // A scroll of ours may be told only after a picture has made the conversation longer: that is no
  // reason to stay behind. Only whoever scrolls up by hand does.
  box.addEventListener('scroll', () => {
    if (box.scrollHeight - box.scrollTop - box.clientHeight < 120) stick = true;
    else if (byHand) stick = false;
  }, { passive: true });
  growing.disconnect();
  for (const part of [box, ...box.children]) growing.observe(part);
}

// Pictures when they arrive, chips under them, a keyboard: whatever changes the height.
const growing = new ResizeObserver(() => { if (stick) toBottom(); });

export function toBottom() {
  const box = talk();
  if (!box) return;
  byHand = false;
  box.scrollTop = box.scrollHeight;
}

// Reading is reported once per look, and only while somebody can be looking.
const report = gentle(async () => {
  if (account() && document.visibilityState === 'visible') await act('seen', { account: account() });
}, 600);

export const refresh = gentle(async () => {
  const name = account();
  if (!name) return;
  const fresh = (await fragment(`/phone/thread/${name}`)).firstElementChild;
  if (account() !== name) return;
  const known = new Set($$('.row', view()).map((row) => row.dataset.key));
  const form = $('[data-message-form]', view());
  for (const part of $$('[data-message-form], [data-context], [data-previews], .typing', fresh)) part.dataset.keep = '';
  if (form) for (const part of $$('[data-message-form], [data-context], [data-previews], .typing', view())) part.dataset.keep = '';
  morph(view(), fresh);
  const added = $$('.row', view()).filter((row) => !known.has(row.dataset.key));
  for (const row of added) row.classList.add('fresh');
  if (added.some((row) => row.classList.contains('theirs'))) typing(false);
  if (stick || added.some((row) => row.classList.contains('mine'))) toBottom();
  report();
}, 60);

export function typing(on) {
  const dots = $('.typing', screen);
  if (!dots) return;
  dots.hidden = !on;
  clearTimeout(typingTimer);
  if (on) {
    typingTimer = setTimeout(() => { dots.hidden = true; }, 20000);
    if (stick) toBottom();
  }
}

async function send(form) {
  const text = form.elements.text.value.trim();
  if (!text && !photos.length) return;
  const was = context;
  const files = photos;
  form.elements.text.value = '';
  setContext(null);
  setPhotos([]);
  stick = true;
  try {
    if (was?.kind === 'edit') await act('edit', { mid: was.mid, text });
    else if (files.length) {
      const data = new FormData();
      data.append('account', account());
      for (const file of files) data.append('files', file, file.name);
      data.append('text', text);
      await act('photos', data);
    } else await act('messages', { account: account(), text, reply_to: was?.mid ?? '' });
  } catch (error) {
    form.elements.text.value = text;
    setPhotos(files);
    complain(error);
  }
  refresh();
}

function setPhotos(files) {
  photos = files.slice(0, 10);
  const list = $('[data-previews]', screen);
  if (!list) return;
  for (const image of $$('img', list)) URL.revokeObjectURL(image.src);
  list.hidden = !photos.length;
  list.replaceChildren(...photos.map((file, index) => {
    const item = document.createElement('li');
    const image = new Image();
    image.src = URL.createObjectURL(file);
    image.alt = file.name;
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.className = 'round';
    remove.dataset.remove = index;
    remove.setAttribute('aria-label', `Remove ${file.name}`);
    remove.append(icon('M6 6l12 12M18 6 6 18'));
    item.append(image, remove);
    return item;
  }));
  update();
}

function setContext(next, words = '') {
  context = next;
  const box = $('[data-context]', screen);
  if (!box) return;
  box.hidden = !next;
  $('span', box).textContent = words;
}

function update() {
  const form = $('[data-message-form]', screen);
  if (!form) return;
  const ready = form.elements.text.value.trim() || photos.length;
  $('[type=submit]', form).hidden = !ready;
  $('label:has([data-gallery])', form).hidden = Boolean(ready);
}

// The menu of one message ---------------------------------------------------------------------

let menu = null;
function closeMenu(refocus = false) {
  if (!menu) return;
  const { element, opener } = menu;
  element.remove();
  opener.setAttribute('aria-expanded', 'false');
  if (refocus) opener.focus();
  menu = null;
}

function item(label, run, className = '') {
  const button = document.createElement('button');
  button.type = 'button';
  button.setAttribute('role', 'menuitem');
  button.textContent = label;
  button.className = className;
  button.onclick = async () => {
    closeMenu(true);
    try { await run(); } catch (error) { complain(error); }
  };
  return button;
}

function openMenu(opener) {
  closeMenu();
  const { menu: mid, mine, text, editable } = opener.dataset;
  const element = document.createElement('div');
  element.className = 'menu';
  element.setAttribute('role', 'menu');
  const row = document.createElement('div');
  row.className = 'emojis';
  EMOJIS.forEach((emoji, index) => {
    const button = item(emoji, () => act('reactions', { mid, emoji }).then(refresh));
    button.setAttribute('aria-label', NAMES[index]);
    row.append(button);
  });
  element.append(row, item('Reply', () => startContext({ kind: 'reply', mid }, `Answering: ${text || 'a picture'}`)));
  if (opener.closest('.row').querySelector('.reacted')) {
    element.append(item('Take my reaction back', () => act('reactions', { mid, emoji: '' }).then(refresh)));
  }
  if (editable === '1') element.append(item('Edit', () => startContext({ kind: 'edit', mid }, 'Changing your message', text)));
  if (mine === '1') element.append(item('Take back', () => act('unsend', { mid }).then(refresh), 'danger'));
  $('.glass').append(element);
  place(element, opener);
  opener.setAttribute('aria-expanded', 'true');
  menu = { element, opener };
  $('button', element).focus();
}

function place(element, opener) {
  const frame = $('.glass').getBoundingClientRect();
  const spot = opener.getBoundingClientRect();
  const top = Math.min(spot.bottom - frame.top + 4, frame.height - element.offsetHeight - 12);
  const left = Math.min(Math.max(8, spot.left - frame.left - element.offsetWidth / 2), frame.width - element.offsetWidth - 8);
  element.style.top = `${top}px`;
  element.style.left = `${left}px`;
}

function startContext(next, words, text) {
  setContext(next, words);
  const input = $('[data-message-form]', screen)?.elements.text;
  if (!input) return;
  if (text) input.value = text;
  update();
  input.focus();
}

document.addEventListener('keydown', (event) => {
  if (!menu) return;
  if (event.key === 'Escape') closeMenu(true);
  if (!['ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight'].includes(event.key)) return;
  event.preventDefault();
  const stops = $$('button', menu.element);
  const step = ['ArrowDown', 'ArrowRight'].includes(event.key) ? 1 : -1;
  stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
});
document.addEventListener('click', (event) => {
  if (menu && !menu.element.contains(event.target) && !event.target.closest('[data-menu]')) closeMenu();
});

screen.addEventListener('click', async (event) => {
  const button = event.target.closest('button');
  if (!button || !view()) return;
  const { dataset } = button;
  try {
    if (dataset.menu) openMenu(button);
    else if (dataset.remove) setPhotos(photos.filter((_, index) => index !== Number(dataset.remove)));
    else if ('cancel' in dataset) {
      if (context?.kind === 'edit') $('[data-message-form]', screen).elements.text.value = '';
      setContext(null);
      update();
    } else if (dataset.tap) {
      button.disabled = true;
      await act('tap', { mid: dataset.tap, payload: dataset.payload });
      refresh();
    } else if (dataset.ice) {
      await act('ice-breaker', { account: account(), payload: dataset.ice });
      refresh();
    } else if (dataset.accept) {
      await act('accept', { account: dataset.accept });
      refresh();
    }
  } catch (error) { button.disabled = false; complain(error); }
});
screen.addEventListener('submit', (event) => {
  if (!event.target.matches('[data-message-form]')) return;
  event.preventDefault();
  send(event.target);
});
screen.addEventListener('input', (event) => {
  if (event.target.closest('[data-message-form]')) update();
});
screen.addEventListener('change', (event) => {
  if (!event.target.matches('[data-photos]')) return;
  setPhotos([...photos, ...event.target.files]);
  event.target.value = '';
  $('[data-message-form]', screen).elements.text.focus();
});
screen.addEventListener('paste', (event) => {
  const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith('image/'));
  if (view() && files.length) setPhotos([...photos, ...files]);
});
document.addEventListener('visibilitychange', () => { if (view()) report(); });
