// The switchboard: faults, accounts, deliveries.
import { $, act, api, complain, fragment, gentle, morphChildren } from './dom.js';

const board = $('#board');

export const refreshControls = gentle(async () => {
  morphChildren($('#controls'), await fragment('/phone/board'));
  const active = Number($('.mood').dataset.active);
  $('#trouble-dot').hidden = !active;
}, 100);

export const refreshDeliveries = gentle(async () => {
  morphChildren($('#deliveries'), await fragment('/phone/deliveries'));
}, 250);

async function press(button) {
  const { dataset } = button;
  if (dataset.fault) {
    const on = button.getAttribute('aria-checked') === 'true';
    await api('PATCH', '/faults', { [dataset.fault]: JSON.parse(on ? dataset.calmValue : dataset.on) });
  } else if ('throttle' in dataset) {
    const seconds = button.getAttribute('aria-checked') === 'true' ? 0 : 60;
    await api('POST', '/rate-limit', { code: 80002, seconds });
  } else if ('calm' in dataset) await api('DELETE', '/faults');
  else if ('hurry' in dataset) await api('POST', '/deliveries/hurry');
  else if (dataset.again) await api('POST', `/deliveries/${dataset.again}/again`);
  else if (dataset.closeWindow) await api('POST', `/threads/${dataset.closeWindow}/close-window`);
  else if (dataset.trouble) {
    const shop = button.closest('[data-shop]').dataset.shop;
    await api('POST', `/accounts/${shop}/trouble`, { action: dataset.trouble });
  } else if (dataset.relate) {
    await act('relation', { account: dataset.relate, blocked: dataset.blocked === 'true' });
  } else return;
  refreshControls();
  refreshDeliveries();
}

board.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) press(button).catch(complain);
});
board.addEventListener('change', (event) => {
  const { amount } = event.target.dataset;
  if (!amount || !event.target.reportValidity()) return;
  api('PATCH', '/faults', { [amount]: event.target.valueAsNumber }).then(refreshControls, complain);
});
board.addEventListener('submit', (event) => {
  const account = event.target.dataset.ownerForm;
  if (!account) return;
  event.preventDefault();
  const { text } = event.target.elements;
  api('POST', `/accounts/${account}/messages`, { shopper: document.body.dataset.me, text: text.value })
    .then(() => { text.value = ''; }, complain);
});

// On a narrow screen the switchboard is a screen of its own.
function show(open) {
  document.body.classList.toggle('board-open', open);
  $('#open-board').setAttribute('aria-expanded', String(open));
  $('.device').inert = open;
  (open ? $('#close-board') : $('#open-board')).focus();
}
$('#open-board').addEventListener('click', () => show(true));
$('#close-board').addEventListener('click', () => show(false));
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && document.body.classList.contains('board-open')) show(false);
});
matchMedia('(min-width: 900px)').addEventListener('change', ({ matches }) => {
  if (matches && document.body.classList.contains('board-open')) show(false);
});

// A running rate limit counts down.
setInterval(() => { if ($('[data-throttle][aria-checked=true]')) refreshControls(); }, 5000);
