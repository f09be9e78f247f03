/**
 * The credentials on the page: an access token, a refresh token, an admin key. They are kept in
 * memory only: a reload forgets all of them.
 * @module
 */
import { copyButton, make } from './dom.js';

const held = { access: '', refresh: '', adminKey: '', isRevoked: false };
const listeners = new Set();

/** Calls back now and after each change. */
export const onSession = (listener) => {
  listeners.add(listener);
  listener(held);
};

/** The present credentials. */
export const session = () => held;

/** Changes some of the credentials. */
export const hold = (change) => {
  if (change.access !== undefined && change.access !== held.access) held.isRevoked = false;
  Object.assign(held, change);
  for (const listener of listeners) listener(held);
};

/** One part of a token in compact form as JSON; `undefined` when it is none. */
const decoded = (part = '') => {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
};

const timeClaims = new Set(['iat', 'nbf', 'exp', 'auth_time']);

const claimRows = (claims) =>
  Object.entries(claims).flatMap(([name, value]) => [
    make('dt', {}, name),
    make(
      'dd',
      {},
      typeof value === 'string' ? value || '""' : JSON.stringify(value),
      timeClaims.has(name) && make('small', {}, new Date(value * 1000).toLocaleString()),
    ),
  ]);

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

/** The state of the token, in words. Only the service judges tokens. */
const stateOf = ({ isRevoked }, claims) => {
  if (isRevoked) return ['dead', 'revoked'];
  if (claims?.exp === undefined) return ['dead', 'not a JWT'];
  const left = claims.exp - Date.now() / 1000;
  if (left <= 0) return ['dead', 'expired'];
  return [left < 60 ? 'late' : 'live', clock(left), 'expires in '];
};

/** The bar at the top: the token in use, its claims, and how long it lasts. */
export const showSessionBar = (bar) => {
  let isOpen = false;
  let claims;
  const state = make('span.state');
  const tick = () => {
    if (held.access === '') return;
    const [kind, words, before] = stateOf(held, claims);
    bar.dataset.state = kind;
    state.replaceChildren(make('span.wide', {}, before ?? ''), words);
  };
  const panel = make('div.claims', { id: 'claims' });
  const toggle = make('button.quiet', { type: 'button', 'aria-controls': 'claims' }, 'Claims');
  const show = () => {
    panel.hidden = !isOpen;
    toggle.setAttribute('aria-expanded', String(isOpen));
  };
  toggle.addEventListener('click', () => {
    isOpen = !isOpen;
    show();
  });
  document.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape') return;
    isOpen = false;
    show();
  });
  onSession(({ access }) => {
    if (access === '') {
      isOpen = false;
      bar.dataset.state = 'none';
      bar.replaceChildren(make('span.dot'), make('span.who', {}, 'Not signed in'));
      return;
    }
    const [head, body] = access.split('.');
    const header = decoded(head) ?? {};
    claims = decoded(body);
    panel.replaceChildren(
      make('p.hint', {}, 'Held in the memory of this page only. A reload forgets it.'),
      make(
        'p.buttons',
        {},
        copyButton(() => held.access, 'Copy token'),
        make('button.quiet', { type: 'button', onclick: () => hold({ access: '', refresh: '' }) }, 'Forget it'),
      ),
      make('h4', {}, 'Claims'),
      make('dl', {}, ...claimRows(claims ?? {})),
      make('h4', {}, 'Header'),
      make('dl', {}, ...claimRows(header)),
    );
    const who = make('span.who', {}, 'Access token ', make('code', {}, `…${access.slice(-6)}`));
    bar.replaceChildren(make('span.dot'), who, state, toggle, panel);
    show();
    tick();
  });
  setInterval(tick, 500);
};
