/**
 * What a reader of the guides has installed in the folder of an API: what a registry gives must not decide whether the gate passes.
 * @module
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** As much of Express as the guides and examples need. */
const express = `
import { createServer } from 'node:http';

export default () => {
  const first = [];
  const routes = new Map();
  const run = ([handler, ...others], request, response) => handler(request, response, () => run(others, request, response));
  const add = (method) => (path, ...handlers) => routes.set(method + ' ' + path, handlers);
  return {
    use: (handler) => first.push(handler),
    get: add('GET'),
    delete: add('DELETE'),
    listen: (port, host, listening) =>
      createServer((request, response) => {
        response.json = (value) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
        run([...first, ...routes.get(request.method + ' ' + request.url)], request, response);
      }).listen(port, host, listening),
  };
};
`;

const write = (folder: string, name: string, text: string): void => {
  const place = join(folder, 'node_modules', name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'index.mjs'), text);
  writeFileSync(join(place, 'package.json'), JSON.stringify({ name, type: 'module', exports: './index.mjs' }));
};

/** Puts Express, Fastify and the guard of this tree into a folder. */
export const installReaderModules = (folder: string): void => {
  write(folder, 'express', express);
  const guard = pathToFileURL(join(root, 'packages/guard/src/guard.ts')).href;
  write(folder, '@catalytic/guard', `export * from ${JSON.stringify(guard)};\n`);
  const fastify = fileURLToPath(import.meta.resolve('fastify'));
  symlinkSync(dirname(fastify), join(folder, 'node_modules/fastify'));
};
