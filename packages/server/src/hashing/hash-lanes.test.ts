import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Secret } from '../features/secrets/secret.ts';
import { HashLanes } from './hash-lanes.ts';

const password = new Secret('nine lanterns over the harbour');
const lanesOf = (lanes: number, queueMs: number): HashLanes => new HashLanes({ lanes, queueMs, onProblem: () => {} });

/** Children of this process that hash. */
const hashingChildren = (): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        return parent === process.pid && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('lane-process');
      } catch {
        return false;
      }
    });

test('a new hash is argon2id with the OWASP parameters and knows its password', async (t) => {
  const lanes = lanesOf(2, 10_000);
  t.after(() => lanes.close());
  const stored = await lanes.hash(password);
  assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(await lanes.verify(stored, password), true);
  assert.equal(await lanes.verify(stored, new Secret('another password')), false);
  assert.notEqual(await lanes.hash(password), stored, 'each hash has another salt');
});

test('what would wait too long is refused at once, saying when to come back', async (t) => {
  const lanes = lanesOf(1, 100);
  t.after(() => lanes.close());
  lanes.admit();
  const asked = Array.from({ length: 50 }, () => lanes.hash(password));
  assert.throws(() => lanes.admit(), { code: 'hashing_busy' }, 'nothing need be looked up for what would be refused');
  const results = await Promise.allSettled(asked);
  lanes.admit();
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  assert.ok(refused.length > 20 && refused.length < 50, `${refused.length} refused`);
  for (const reason of refused) {
    assert.equal(reason.code, 'hashing_busy');
    assert.ok(reason.retryAfterSeconds >= 1);
  }
});

test('the refused are not all told the same time: the last of a crowd comes after the first has been served', async (t) => {
  const lanes = lanesOf(1, 100);
  t.after(() => lanes.close());
  const results = await Promise.allSettled(Array.from({ length: 300 }, () => lanes.hash(password)));
  const told = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.retryAfterSeconds] : []));
  assert.equal(Math.min(...told), 1);
  assert.ok(new Set(told).size >= 4, `told ${[...new Set(told)]}`);
});

test('a hashing process that is killed is replaced; what it was doing is refused', async (t) => {
  const lanes = lanesOf(1, 10_000);
  t.after(() => lanes.close());
  await lanes.hash(password);
  const children = hashingChildren();
  // Frozen first: a fast machine would have the hash done before the kill.
  for (const pid of children) process.kill(pid, 'SIGSTOP');
  const running = lanes.hash(password);
  running.catch(() => {});
  for (const pid of children) process.kill(pid, 'SIGKILL');
  await assert.rejects(running, { code: 'hashing_busy' });
  assert.match(await lanes.hash(password), /^\$argon2id/);
});

test('the hashing process is given nothing of our environment', async (t) => {
  process.env['CATALYTIC_MASTER_KEY'] = 'canary';
  const lanes = lanesOf(1, 10_000);
  t.after(async () => {
    delete process.env['CATALYTIC_MASTER_KEY'];
    await lanes.close();
  });
  await lanes.hash(password);
  const [pid] = hashingChildren();
  assert.ok(!readFileSync(`/proc/${pid}/environ`, 'latin1').includes('canary'));
});

test('a close refuses what comes after it', async () => {
  const lanes = lanesOf(1, 10_000);
  await lanes.hash(password);
  await lanes.close();
  await assert.rejects(lanes.hash(password), { code: 'shutting_down' });
});

/** A stored hash that no password matches; a check costs about 20 times one of today's. */
const slowHash = `$2b$12$${'a'.repeat(53)}`;

for (const count of [1, 2])
  test(`slow hashes of other systems leave a lane to today's, of ${count}`, async (t) => {
    const lanes = lanesOf(count, 1500);
    t.after(() => lanes.close());
    const stored = await lanes.hash(password);
    await lanes.verify(slowHash, password);
    const slow = Array.from({ length: 60 }, () => lanes.verify(slowHash, password));
    const settled = Promise.allSettled(slow);
    lanes.admit();
    for (let checks = 0; checks < 5; checks++) assert.equal(await lanes.verify(stored, password), true);
    const refused = (await settled).filter(({ status }) => status === 'rejected');
    assert.ok(refused.length > 0 && refused.length < 60, `${refused.length} slow checks refused`);
  });

test('a hashing process that hangs is replaced, one whose hashes are slow is not', async (t) => {
  const problems: string[] = [];
  const lanes = new HashLanes({
    lanes: 2,
    queueMs: 20_000,
    stuckMs: 1500,
    onProblem: (message) => problems.push(message),
  });
  t.after(() => lanes.close());
  // Takes two seconds and more. No import takes such a hash, but an earlier version did.
  const verySlow = `$scrypt$ln=19,r=2,p=8$${'A'.repeat(22)}$${'A'.repeat(43)}`;
  const beganMs = performance.now();
  assert.equal(await lanes.verify(verySlow, password), false);
  assert.ok(performance.now() - beganMs > 1500);
  assert.deepEqual(problems, []);
  for (const pid of hashingChildren()) process.kill(pid, 'SIGSTOP');
  await assert.rejects(lanes.hash(password), { code: 'hashing_busy' });
  assert.match(problems.join(), /Restarting the hashing process: it ended with SIGKILL/);
  assert.match(await lanes.hash(password), /^\$argon2id/);
});

test('a wrong password is refused as late for a cheap hash as for a costly one, and a right one is not held up', async (t) => {
  const lanes = lanesOf(2, 10_000);
  t.after(() => lanes.close());
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const beganMs = performance.now();
    await work();
    return performance.now() - beganMs;
  };
  const fastest = async (work: () => Promise<unknown>): Promise<number> => {
    let least = Number.POSITIVE_INFINITY;
    for (let count = 0; count < 10; count++) least = Math.min(least, await timed(work));
    return least;
  };
  const stored = await lanes.hash(password);
  const hashMs = await fastest(() => lanes.hash(password));
  const wrong = new Secret('another password');
  const cheap = `$pbkdf2-sha256$i=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
  // A refusal takes 30 hashes or a second; a busy machine makes single hashes slower than the fastest.
  for (const hash of [cheap, stored]) {
    const tookMs = await timed(() => lanes.verify(hash, wrong));
    assert.ok(tookMs > Math.min(900, 15 * hashMs), `${tookMs} ms, a hash takes ${hashMs} ms`);
  }
  const rightMs = await fastest(() => lanes.verify(stored, password));
  assert.ok(rightMs < 15 * hashMs, `${rightMs} ms, a hash takes ${hashMs} ms`);
});
