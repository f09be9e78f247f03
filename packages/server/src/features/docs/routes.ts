/**
 * Routes that describe the others: the OpenAPI document, and a page made from it on which the
 * routes can be tried.
 * @module
 */
import { readFileSync } from 'node:fs';
import { paths } from '@catalytic/protocol/paths';
import { type Route, route } from '../route.ts';
import { Type } from '../schema.ts';

/**
 * Files of the page by media type. A browser loads all of them from the service, and nothing from
 * elsewhere.
 */
const assets: Readonly<Record<string, readonly string[]>> = {
  'image/svg+xml': ['icon.svg'],
  'text/css': ['page.css'],
  'text/javascript': [
    'page.js',
    'answer.js',
    'codes.js',
    'dom.js',
    'form.js',
    'operation.js',
    'request.js',
    'schema.js',
    'session.js',
  ],
};

/**
 * The page holds an access token, so its policy allows little: it loads from the service and sends
 * requests to the service. Nothing inline runs, no text can become markup, it sends no form, and no
 * other page can show it in a frame.
 */
const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

/** A browser may keep a file, and asks each time whether it is still that of this version. */
const cacheControl = 'no-cache';

const readAsset = (name: string): string => readFileSync(new URL(`page/${name}`, import.meta.url), 'utf8');

const fileRoute = (path: string, name: string, type: string): Route => {
  const body = readAsset(name);
  return route({
    method: 'GET',
    path,
    summary: 'An interactive page made from this description: every route can be tried on it',
    isListed: path === paths.docs,
    access: { kind: 'public' },
    listener: 'both',
    textType: type,
    answers: { 200: Type.String({ description: 'The page.' }) },
    handle: () => ({ status: 200, body, contentType: `${type}; charset=utf-8`, cacheControl, headers: pageHeaders }),
  });
};

/** Leads `/docs/` to the page, whose references are relative to an address without the slash. */
const slashRoute = route({
  method: 'GET',
  path: `${paths.docs}/`,
  summary: 'Leads to the page',
  isListed: false,
  access: { kind: 'public' },
  listener: 'both',
  textType: 'text/plain',
  answers: { 308: Type.String({ description: 'Nothing; `Location` names the page.' }) },
  handle: () => ({
    status: 308,
    body: '',
    contentType: 'text/plain; charset=utf-8',
    cacheControl,
    // Relative, so that a proxy may serve the page under a prefix.
    headers: { location: `..${paths.docs}` },
  }),
});

/**
 * The routes.
 * @param describe makes the document; called once, at the first request for it
 */
export const docsRoutes = (describe: () => unknown): readonly Route[] => {
  let document: string | undefined;
  return [
    route({
      method: 'GET',
      path: paths.openapi,
      summary: 'This description: an OpenAPI 3.1 document of what this listener answers',
      access: { kind: 'public' },
      listener: 'both',
      answers: { 200: Type.Object({}, { additionalProperties: true, description: 'The document.' }) },
      handle: () => {
        document ??= JSON.stringify(describe());
        return { status: 200, body: document, contentType: 'application/json; charset=utf-8', cacheControl };
      },
    }),
    fileRoute(paths.docs, 'page.html', 'text/html'),
    slashRoute,
    ...Object.entries(assets).flatMap(([type, names]) =>
      names.map((name) => fileRoute(`${paths.docs}/${name}`, name, type)),
    ),
  ];
};
