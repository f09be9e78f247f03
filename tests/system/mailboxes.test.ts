import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { goodPassword, post, signIn } from '../harness/client.ts';
import { withDatabase } from '../harness/database.ts';
import { assertProblem } from '../harness/problems.ts';
import { runCatalytic, serviceIn } from '../harness/service.ts';

const { url, dataDir } = await serviceIn({ after }, { LOGIN_CACHE_SECONDS: 300 });

const register = (email: string, password = goodPassword) => post(`${url}/auth/register`, { email, password });

/** Registers an account as version 0.1 stored it: under its address in lower case, as it was typed. */
const registerFormerly = async (email: string, password = goodPassword): Promise<void> => {
  // The address of another mailbox first: this version would refuse the second one of a pair.
  const placeholder = `${Buffer.from(email).toString('hex')}@example.com`;
  assert.equal((await register(placeholder, password)).status, 201);
  withDatabase(dataDir, (database) =>
    database
      .prepare('update account set email = ?, email_key = ? where email = ?')
      .run(email, email.normalize('NFC').toLowerCase(), placeholder),
  );
};

suite('one mailbox, one account', () => {
  test('whatever the spelling, the second account is refused and the first one signs in', async () => {
    for (const [first, second] of [
      ['idn@bücher.example', 'idn@xn--bcher-kva.example'],
      ['b@XN--BCHER-KVA.example', 'B@BU\u0308CHER.example'],
      ['J\u030c@example.com', '\u01f0@example.com'],
      ['ΟΔΟΣ@example.com', 'οδοσ@example.com'],
    ] as const) {
      assert.equal((await register(first)).status, 201, first);
      assertProblem(await register(second), 'email_taken', second);
      await signIn(url, second);
    }
  });

  test('an account of the version before is found by every spelling, and keeps its mailbox', async () => {
    await registerFormerly('old@bücher.example');
    for (const spelling of ['old@bücher.example', 'old@xn--bcher-kva.example', 'Old@Bücher.example']) {
      await signIn(url, spelling);
      assertProblem(await register(spelling), 'email_taken', spelling);
    }
  });

  test('two former accounts of one mailbox are reported, each signs in by its own spelling, and none is merged', async () => {
    const [ours, theirs] = ['twin@bücher.example', 'twin@xn--bcher-kva.example'];
    await registerFormerly(ours, 'seven lanterns over the harbour');
    await registerFormerly(theirs, 'eleven lanterns over the harbour');
    const wrong = { email: theirs, password: 'seven lanterns over the harbour' };
    // Twice: the second sign-in is a remembered one.
    for (let times = 0; times < 2; times++) {
      await signIn(url, ours, 'seven lanterns over the harbour');
      await signIn(url, theirs, 'eleven lanterns over the harbour');
      assertProblem(await post(`${url}/auth/login`, wrong), 'credentials_invalid');
    }
    const { code, stdout } = await runCatalytic(['accounts', 'shared-mailboxes', '--json'], { DATA_DIR: dataDir });
    assert.equal(code, 0);
    const { mailboxes } = JSON.parse(stdout) as { readonly mailboxes: readonly { accounts: { email: string }[] }[] };
    assert.deepEqual(
      mailboxes.map(({ accounts }) => accounts.map(({ email }) => email).sort()),
      [[ours, theirs].sort()],
    );
    const text = await runCatalytic(['accounts', 'shared-mailboxes'], { DATA_DIR: dataDir });
    assert.match(text.stdout, /twin@bücher\.example.*twin@xn--.*disable the others/s);
  });

  test('an address with invisible letters is refused', async () => {
    for (const email of ['a\ufe0fda@example.com', 'ada@exam\u115fple.com', 'ada\u3164@example.com'])
      assertProblem(await register(email), 'email_invalid', email);
  });
});
