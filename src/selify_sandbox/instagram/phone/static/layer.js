// What covers the screen: the comment sheet, a story, a picture. One at a time, Escape closes it.
import { $, $$, act, announce, complain, fragment, morph } from './dom.js';

const layer = $('#layer');
let opener = null;

function open(content) {
  opener ??= document.activeElement;
  layer.replaceChildren(content);
  layer.hidden = false;
  for (const part of [$('#screen'), $('.tabs')]) part.inert = true;
  ($('input:not([type=hidden])', layer) ?? $('button', layer))?.focus();
}

export function close() {
  if (layer.hidden) return;
  layer.hidden = true;
  layer.replaceChildren();
  for (const part of [$('#screen'), $('.tabs')]) part.inert = false;
  opener?.focus?.();
  opener = null;
}

export async function openComments(media) { open(await fragment(`/phone/comments/${media}`)); }
export async function openStory(media) { open(await fragment(`/phone/story/${media}`)); }

export function openPicture(link) {
  const zoom = document.createElement('div');
  zoom.className = 'zoom';
  zoom.setAttribute('role', 'dialog');
  zoom.setAttribute('aria-modal', 'true');
  zoom.setAttribute('aria-label', 'Picture');
  const header = document.createElement('header');
  const shut = document.createElement('button');
  shut.type = 'button';
  shut.className = 'round';
  shut.dataset.close = '';
  shut.setAttribute('aria-label', 'Close picture');
  shut.append(icon('M6 6l12 12M18 6 6 18'));
  const save = document.createElement('a');
  save.className = 'round';
  save.href = link;
  save.download = 'picture';
  save.setAttribute('aria-label', 'Save picture');
  save.append(icon('M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M5 19.5h14'));
  header.append(shut, save);
  const image = new Image();
  image.src = link;
  image.alt = 'Picture, full screen';
  zoom.append(header, image);
  open(zoom);
}

export function icon(d) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', d);
  svg.append(path);
  return svg;
}

// A comment under the post whose sheet is open.
export async function refreshComments(media) {
  const sheet = $('.sheet', layer);
  if (!sheet || sheet.dataset.media !== media) return;
  const list = $('.comments', sheet);
  morph(list, $('.comments', await fragment(`/phone/comments/${media}`)));
}

layer.addEventListener('click', (event) => {
  if (event.target === layer || event.target.closest('[data-close]')) { close(); return; }
  const answer = event.target.closest('[data-answer]');
  if (!answer) return;
  const form = $('[data-comment-form]', layer);
  form.elements.parent.value = answer.dataset.answer;
  form.elements.text.value = `@${answer.dataset.name} `;
  form.elements.text.focus();
});

layer.addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  const text = form.elements.text.value.trim();
  if (!text) return;
  try {
    if (form.matches('[data-comment-form]')) {
      const post = form.closest('.sheet').dataset.media;
      await act('comments', { post, text, parent: form.elements.parent.value || null });
      form.reset();
      form.elements.parent.value = '';
      await refreshComments(post);
      const list = $('.comments', layer);
      if (list) list.scrollTop = list.scrollHeight;
      announce('Comment posted');
    } else {
      await act('story-reply', { account: form.dataset.shop, post: form.dataset.storyForm, text });
      close();
      announce('Sent');
    }
  } catch (error) { complain(error); }
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') close();
  if (event.key !== 'Tab' || layer.hidden) return;
  const stops = $$('button, a[href], input:not([type=hidden])', layer).filter((stop) => !stop.disabled);
  const last = stops.at(-1);
  if (!layer.contains(document.activeElement)) return;
  if (event.shiftKey && document.activeElement === stops[0]) { event.preventDefault(); last.focus(); }
  else if (!event.shiftKey && document.activeElement === last) { event.preventDefault(); stops[0].focus(); }
});
