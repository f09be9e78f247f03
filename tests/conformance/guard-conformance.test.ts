/**
 * `catalytic guard-conformance` against our own guard, whole and with faults. `npm run other-languages` tries the rest.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { cleanEnvironment, startCommand } from '../../scripts/run-command.ts';
import { freePort } from '../harness/service.ts';
import { ownApi, root, rulesOf, tryConformance } from './guard-conformance.ts';

suite('guard-conformance', { concurrency: true }, () => {
  test('our guard keeps the rules of tokens, revocations and leases', async () => {
    const rules = [
      ...['token-checked', 'challenge', 'revoked-once-acknowledged', 'epochs-never-fall', 'lease-ends'],
      ...['lease-counts-from-sending', 'unavailable-is-503', 'request-form', 'left-on-stop'],
    ];
    const flags = ['--lease', '1000', '--json', '--only', rules.join(',')];
    const { code, output } = await tryConformance([...flags, '--', ...ownApi()]);
    assert.equal(code, 0, output);
    const kept = rulesOf(output).filter(({ verdict }) => verdict === 'kept');
    assert.deepEqual(kept.map(({ rule }) => rule).sort(), rules.sort());
  });

  for (const fault of ['revoked-once-acknowledged', 'wrong-clock-accepts-nothing', 'left-on-stop'])
    test(`a guard that breaks ${fault} is told so`, async () => {
      const { code, output, broken } = await tryConformance([
        ...['--lease', '500', '--only', fault, '--'],
        ...ownApi(fault),
      ]);
      assert.equal(code, 1, output);
      assert.deepEqual(broken, [fault], output);
      assert.match(output, /^ +expected {2}\S.*\n +seen {6}\S/m);
    });

  test('a command that ends at once, or that does not exist, is not taken for a guard', async () => {
    const ended = await tryConformance(['--', process.execPath, '-e', 'process.stderr.write("no port")']);
    assert.equal(ended.code, 2, ended.output);
    assert.match(ended.output, /its process has ended\nno port/);
    const missing = await tryConformance(['--', './no-such-program']);
    assert.equal(missing.code, 2, missing.output);
    assert.match(missing.output, /ENOENT/);
  });

  test('the guard of an API that runs elsewhere is tried, but for what needs its process', async (t) => {
    const [port, servicePort] = [await freePort(), await freePort()];
    const issuer = `http://127.0.0.1:${servicePort}`;
    const places = { CATALYTIC_ISSUER: issuer, CATALYTIC_URL: issuer, CATALYTIC_GUARD_KEY: 'conformance-key' };
    const [program = '', ...words] = ownApi();
    const env = { ...cleanEnvironment(), ...places, PORT: String(port) };
    const api = startCommand(program, words, { cwd: root, env, output: 'capture' });
    t.after(() => api.stop());
    const flags = ['--only', 'challenge,left-on-stop', '--listen', `127.0.0.1:${servicePort}`];
    const { code, output } = await tryConformance([...flags, `http://127.0.0.1:${port}`]);
    assert.equal(code, 0, output);
    assert.match(output, /^kept +challenge$/m);
    assert.match(output, /^skipped {2}left-on-stop: needs a command/m);
  });

  test('a rule that does not exist is a usage error', async () => {
    const { code, output } = await tryConformance(['--only', 'no-such-rule', 'http://127.0.0.1:1']);
    assert.equal(code, 2, output);
    assert.match(output, /There is no rule "no-such-rule"/);
  });
});
