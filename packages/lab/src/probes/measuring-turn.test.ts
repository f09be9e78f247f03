import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { folderIn } from '../../../../tests/harness/service.ts';

const folder = folderIn({ after });
const lockFile = join(folder, 'catalytic-lab.turn');
const module = new URL('./measuring-turn.ts', import.meta.url).href;
const options = { env: { PATH: process.env['PATH'], TMPDIR: folder } };
const take = (then: string): string[] => [
  '--input-type=module',
  '-e',
  `import { takeMeasuringTurn } from '${module}'; console.log(String(takeMeasuringTurn())); ${then}`,
];
const takeOnce = (): string => spawnSync(process.execPath, take(''), options).stdout.toString().trim();

test('one process has the turn; another is told whose it is; it ends with its holder, however that ends', async () => {
  const holder = spawn(process.execPath, take('setInterval(() => {}, 1000)'), options);
  await once(holder.stdout, 'data');
  const refused = takeOnce();
  assert.match(
    refused,
    new RegExp(
      `^process ${holder.pid}(, node,)? has been measuring on this machine since \\d\\d:\\d\\d:\\d\\d; wait for it, or end it with "kill ${holder.pid}": two runs would measure each other$`,
    ),
  );
  holder.kill('SIGKILL');
  await once(holder, 'close');
  assert.ok(existsSync(lockFile), 'a killed holder leaves its lock');
  assert.equal(takeOnce(), 'undefined');
  assert.ok(!existsSync(lockFile), 'a holder that ends takes its lock away');
});

test('of several that find the lock of a dead process, one takes the turn', async () => {
  writeFileSync(lockFile, '999999999');
  const racers = Array.from({ length: 4 }, () => spawn(process.execPath, take('setTimeout(() => {}, 1500)'), options));
  const said = await Promise.all(
    racers.map(async (racer) => String(((await once(racer.stdout, 'data')) as [Buffer])[0]).trim()),
  );
  await Promise.all(racers.map((racer) => once(racer, 'close')));
  assert.equal(said.filter((holder) => holder === 'undefined').length, 1, said.join());
});

test('the process that has the turn is named by its program and first word; the rest of its command line may be secret', async (t) => {
  const script = join(folderIn(t), 'measure.ts');
  writeFileSync(
    script,
    `import { takeMeasuringTurn } from '${module}'; console.log(String(takeMeasuringTurn())); setInterval(() => {}, 1000);`,
  );
  const names = async (words: readonly string[]): Promise<string | undefined> => {
    const holder = spawn(process.execPath, [script, ...words], options);
    await once(holder.stdout, 'data');
    const refused = takeOnce();
    holder.kill('SIGKILL');
    await once(holder, 'close');
    assert.doesNotMatch(refused, /canary/);
    return /measure\.ts( [^,]+)?(?=,)/.exec(refused)?.[0];
  };
  const isTold = existsSync('/proc/self/cmdline');
  assert.equal(await names(['run', 'auth', '--password', 'canary']), isTold ? 'measure.ts run' : undefined);
  assert.equal(await names(['--password=canary']), isTold ? 'measure.ts' : undefined);
  assert.equal(await names(['https://user:canary@example.com']), isTold ? 'measure.ts' : undefined);
});
