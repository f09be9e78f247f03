/**
 * The route of `/`: name, version and links of the service. A browser gets a page, a client
 * that prefers JSON gets JSON.
 * @module
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { paths } from '@catalytic/protocol/paths';
import { type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { prefersJson } from './rules.ts';

/** The links of the page; none of them is for operators only. */
const links = [
  {
    name: 'documentation',
    path: paths.docs,
    title: 'Documentation',
    text: 'Every route of the API, to read and to try.',
  },
  { name: 'openapi', path: paths.openapi, title: 'OpenAPI', text: 'The same for programs: an OpenAPI 3.1 document.' },
  { name: 'jwks', path: paths.jwks, title: 'Public keys', text: 'The keys that sign access tokens (RFC 7517).' },
  {
    name: 'metadata',
    path: paths.authorizationServer,
    title: 'Metadata',
    text: 'The issuer of the tokens (RFC 8414).',
  },
  { name: 'ready', path: paths.ready, title: 'Readiness', text: 'Whether the service would serve a request now.' },
] as const;

/** Without the slash, so that a proxy may serve all of them under a prefix. */
const referenceOf = (path: string): string => path.slice(1);

const linkField = ({ path, text }: (typeof links)[number]) =>
  Type.Optional(Type.String({ description: text, examples: [referenceOf(path)] }));

const HomeAnswer = Type.Object(
  {
    name: Type.Literal('Catalytic', { description: 'The software.' }),
    version: Type.String({ description: 'Its version.', examples: ['0.2.0'] }),
    links: Type.Object(Object.fromEntries(links.map((link) => [link.name, linkField(link)])), {
      description: 'References relative to this address; only to routes of this listener.',
    }),
  },
  { title: 'Home', description: 'The software and its links.' },
);

const readFile = (name: string): string => readFileSync(new URL(`page/${name}`, import.meta.url), 'utf8');

/**
 * The page, and the policy that lets it do nothing but show itself: no script, no form, no frame;
 * only the style that it brings.
 */
const pageOf = (own: readonly (typeof links)[number][], version: string) => {
  const template = readFile('home.html');
  const icon = readFile('icon.svg').trim().replace('<svg ', '<svg width="40" height="40" aria-hidden="true" ');
  const style = /<style>([^<]*)<\/style>/.exec(template)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  const items = own.map(({ path, title, text }) => `<li><a href="${referenceOf(path)}">${title}</a> ${text}</li>`);
  return {
    body: template.replace('{icon}', icon).replace('{version}', version).replace('{links}', items.join('\n        ')),
    headers: {
      'content-security-policy': `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    },
  };
};

/**
 * The route.
 * @param routes of the same listener: the page leads to nothing else
 */
export const homeRoute = (routes: readonly Route[], version: string): Route => {
  const own = links.filter(({ path }) => routes.some((one) => one.path === path));
  const page = pageOf(own, version);
  const body = {
    name: 'Catalytic',
    version,
    links: Object.fromEntries(own.map(({ name, path }) => [name, referenceOf(path)])),
  };
  return route({
    method: 'GET',
    path: paths.home,
    summary: 'Name, version and links of this service',
    description: 'A page; JSON for clients whose `Accept` prefers it.',
    access: { kind: 'public' },
    listener: 'both',
    pageType: 'text/html',
    answers: { 200: HomeAnswer },
    handle: ({ accept }) =>
      prefersJson(accept)
        ? { status: 200, body }
        : { status: 200, body: page.body, contentType: 'text/html; charset=utf-8', headers: page.headers },
  });
};
