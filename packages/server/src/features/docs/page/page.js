/**
 * The page reads the description and builds itself from it.
 * @module
 */
import { codesSection } from './codes.js';
import { make, prose } from './dom.js';
import { operationSection, tryAnchor } from './operation.js';
import { codesOf, operationsOf } from './schema.js';
import { showSessionBar } from './session.js';

const byId = (id) => document.getElementById(id);
const menu = document.querySelector('.menu');

const setMenu = (isOpen) => {
  menu.setAttribute('aria-expanded', String(isOpen));
  document.body.classList.toggle('menu-open', isOpen);
};

/** A path that a browser may break after each slash. */
const breakable = (path) => path.split(/(?<=\/)/).flatMap((part) => [part, make('wbr')]);

const navigation = (groups) => [
  ...groups.map(({ name, operations }) =>
    make(
      'div.group',
      {},
      make('h2', {}, name),
      ...operations.map(({ operationId, method, path, summary }) =>
        make(
          'a',
          { href: `#${operationId}`, title: summary },
          make(`span.method.${method}`, {}, method === 'DELETE' ? 'DEL' : method),
          make('span', {}, ...breakable(path)),
        ),
      ),
    ),
  ),
  make(
    'div.group',
    {},
    make('h2', {}, 'Reference'),
    make('a', { href: '#error-codes' }, 'Error codes'),
    make('a', { href: 'openapi.json' }, 'openapi.json'),
  ),
];

/**
 * The operations that show immediate revocation, in order; each step links to the form of its
 * operation.
 */
const tour = [
  ['post', '/auth/register', 'Make an account'],
  ['post', '/auth/login', 'Sign in: the page keeps the token and uses it'],
  ['get', '/api/protected', 'Call a protected resource: 200'],
  ['post', '/auth/logout', 'Sign out'],
  ['get', '/api/protected', 'Call it again: 401, at once and everywhere'],
];

const tourPanel = (operations) => {
  const steps = tour.map(([method, path, words]) => ({
    words,
    operation: operations.find((one) => one.path === path && one.method.toLowerCase() === method),
  }));
  // The listener for operators has none of these operations.
  if (steps.some(({ operation }) => operation === undefined)) return undefined;
  return make(
    'aside.tour',
    {},
    make('h2', {}, 'See it work'),
    make(
      'ol',
      {},
      ...steps.map(({ words, operation }) =>
        make(
          'li',
          {},
          make('a', { href: `#${tryAnchor(operation)}` }, words),
          make('code.tour-path', {}, `${operation.method} ${operation.path}`),
        ),
      ),
    ),
  );
};

const followReading = (links) => {
  const seen = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        for (const link of links) link.toggleAttribute('aria-current', link.hash === `#${target.id}`);
      }
    },
    { rootMargin: '-20% 0px -70% 0px' },
  );
  for (const section of document.querySelectorAll('main section[id]')) seen.observe(section);
};

const filterBy = (input, list) => {
  input.addEventListener('input', () => {
    const wanted = input.value.trim().toLowerCase();
    for (const group of list.querySelectorAll('.group')) {
      for (const link of group.querySelectorAll('a'))
        link.hidden = !`${link.textContent} ${link.title}`.toLowerCase().includes(wanted);
      group.hidden = group.querySelector('a:not([hidden])') === null;
    }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    event.preventDefault();
    setMenu(true);
    input.focus();
  });
};

const build = (api) => {
  const groups = operationsOf(api);
  const operations = groups.flatMap((group) => group.operations);
  const codes = new Map(api['x-error-codes'].map((row) => [row.code, row]));
  const common = new Set(
    codesOf(operations[0]).filter((code) => operations.every((one) => codesOf(one).includes(code))),
  );
  const next = operations.find(({ path }) => path === '/api/protected');
  byId('list').replaceChildren(...navigation(groups));
  byId('content').replaceChildren(
    make(
      'section.intro',
      {},
      make(
        'div',
        {},
        make('h1', {}, api.info.title),
        make('p.lead', {}, api.info.summary),
        ...api.info.description.split('\n\n').map((text) => make('p', {}, ...prose(text))),
        make('p.hint', {}, `Version ${api.info.version}. Requests go to ${location.origin}, and nowhere else.`),
      ),
      tourPanel(operations),
    ),
    ...groups.flatMap(({ name, description, operations: own }) => [
      make('header.tag', {}, make('h2', {}, name), make('p', {}, description)),
      ...own.map((operation) => operationSection(api, operation, codes, common, next)),
    ]),
    codesSection(codes, operations),
  );
  const links = [...byId('list').querySelectorAll('a')];
  followReading(links);
  filterBy(byId('filter'), byId('list'));
  if (location.hash !== '') byId(location.hash.slice(1))?.scrollIntoView();
};

menu.addEventListener('click', () => setMenu(menu.getAttribute('aria-expanded') !== 'true'));
byId('list').addEventListener('click', () => setMenu(false));
showSessionBar(byId('session'));
try {
  const response = await fetch('openapi.json');
  if (!response.ok) throw new Error(`it was answered ${response.status}`);
  build(await response.json());
} catch (error) {
  byId('content').replaceChildren(
    make('p.loading', {}, `Cannot read openapi.json: ${error.message}. Reload the page.`),
  );
}
