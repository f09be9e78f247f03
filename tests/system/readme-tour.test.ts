import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { removeFolder, startService, temporaryFolder } from '../harness/service.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The shell block under a heading, as a reader would copy it. */
const shellBlock = (heading: string): string => {
  const section = readme.slice(readme.indexOf(`\n## ${heading}\n`));
  return /```sh\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
};

test('the tour of the README, pasted into a shell, goes as the README says', async () => {
  const dataDir = temporaryFolder();
  const service = await startService(dataDir);
  try {
    const tour = shellBlock('A two-minute tour');
    const script = tour.replace('http://127.0.0.1:8000', service.url);
    assert.notEqual(script, tour, 'the tour names the address of a fresh start');
    const { stdout } = await promisify(execFile)('bash', ['-eu', '-c', script]);
    const statuses = stdout.match(/(?<=\})\d{3}$/gm);
    assert.deepEqual(statuses, ['200', '200', '401', '401'], stdout);
    for (const part of ['"account_id"', '"You are signed in"', '"complete"', '"token_revoked"', '"session_ended"'])
      assert.ok(stdout.includes(part), `${part} in ${stdout}`);
  } finally {
    await service.end();
    removeFolder(dataDir);
  }
});
