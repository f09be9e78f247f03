/**
 * The one gate: format, lint, types, tests.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

const steps: Readonly<Record<string, readonly string[]>> = {
  lint: ['biome', 'check', '--error-on-warnings', '.'],
  types: ['tsc', '-p', '.'],
  tests: [
    'node',
    '--test',
    ...globSync(['packages/**/*.test.ts', 'tests/**/*.test.ts'], { exclude: ['**/node_modules/**'] }),
  ],
};

for (const [name, [command = '', ...args]] of Object.entries(steps)) {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
