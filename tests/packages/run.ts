/**
 * Tries the packed guard with the frameworks themselves, on every Node that it supports. `npm run try-packages -- --help` explains.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  compileIn,
  expectedOfConsumer,
  expectedOfFrameworks,
  expectedOfSidecar,
  installInto,
  packGuard,
  runIn,
} from './packed-guard.ts';

const help = `Packs @catalytic/guard, installs it with Express, Fastify and Hono, compiles strict TypeScript, and runs it;
runs the command of its sidecar, too.

  npm run try-packages                        on Node 20, 22, 24 and 26
  npm run try-packages -- --node 22           on one of them; may be repeated

Needs a registry. Exit codes: 0 all answered as they should, 1 not.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    node: { type: 'string', multiple: true, default: ['20', '22', '24', '26'] },
  },
});

const tryPackages = (): void => {
  const folder = mkdtempSync(join(tmpdir(), 'catalytic-packages-'));
  try {
    const project = join(folder, 'project');
    const frameworks = ['express@5', '@types/express@5', 'fastify@5', 'hono@4', '@hono/node-server@1'];
    installInto(project, [packGuard(folder), ...frameworks], false);
    compileIn(project, 'plain.mts', 'frameworks.mts', 'sidecar.mts');
    for (const major of values.node) {
      const place = join(folder, `node-${major}`);
      const name = `node-${process.platform}-${process.arch}`;
      installInto(place, [`${name}@${major}`], false);
      const node = join(place, 'node_modules', name, 'bin/node');
      assert.deepEqual(runIn(project, 'plain.mts', node), expectedOfConsumer);
      assert.deepEqual(runIn(project, 'frameworks.mts', node), expectedOfFrameworks);
      assert.deepEqual(runIn(project, 'sidecar.mts', node), expectedOfSidecar);
      const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
      process.stdout.write(`✔ Node ${version}: node:http, fetch, Express, Fastify, Hono, the sidecar\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

if (values.help) process.stdout.write(help);
else tryPackages();
