import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { makeCertificate } from '../../../../tests/harness/certificates.ts';
import { runLab } from '../../../../tests/harness/lab.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import schema from '../results/result.schema.json' with { type: 'json' };
import type { RunResult } from '../results/result.ts';

const folder = folderIn({ after });

writeFileSync(
  join(folder, 'ask.ts'),
  `import { constant, defineScenario } from '@catalytic/lab/scenario';
  export default defineScenario({ name: 'ask', wait: constant(0.5), checks: ['decoded', 'both cookies'],
    tasks: [{ name: 'ask', run: async (user) => {
      const answer = await user.get('/items');
      user.check('decoded', answer.json() !== undefined);
      user.check('both cookies', answer.headers('set-cookie').join() === 'a=1,b=2');
    } }] });`,
);

const validate = new Ajv2020({ strict: false }).compile(schema);

const readResult = (name: string): RunResult => {
  const result = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as RunResult;
  assert.ok(validate(result), JSON.stringify(validate.errors));
  return result;
};

const listen = async (server: Server): Promise<Disposable & { readonly port: number }> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { port, [Symbol.dispose]: close };
};

const few = ['--users', '4', '--spawn-rate', '40', '--duration', '2s'];

suite('the transport of a run', { concurrency: true }, () => {
  test('what the lab repeats is counted apart, over all processes, and told in every report', async () => {
    const answered = new WeakSet<Socket>();
    const paths = new Set<string | undefined>();
    using target = await listen(
      createServer((request, response) => {
        paths.add(request.url);
        // As a target that closes idle connections, at the worst moment.
        if (answered.has(request.socket)) request.socket.destroy();
        else response.setHeader('set-cookie', ['a=1', 'b=2']).end('{}');
        answered.add(request.socket);
      }),
    );
    const url = `http://127.0.0.1:${target.port}/api/v2/`;
    const { output } = await runLab(folder, [
      'run',
      'ask.ts',
      '--target',
      url,
      '--processes',
      '2',
      ...few,
      '--out',
      'repeated',
    ]);
    const { transport, whole, generator, target: named, own } = readResult('repeated');
    assert.ok(transport, output);
    assert.deepEqual([...paths], ['/api/v2/items']);
    assert.equal(named, url.slice(0, -1));
    assert.equal(whole.total.real, 0, output);
    assert.ok(
      own?.checks.every(({ passed, failed }) => passed > 2 && failed === 0),
      output,
    );
    assert.ok(transport.repeated_requests > 2);
    // Each repeat has a connection of its own.
    assert.equal(transport.connect.count, generator.connections_opened);
    assert.ok(transport.connect.count >= 4 + transport.repeated_requests, output);
    const repeated = `closed an idle connection as they came: ${transport.repeated_requests}\n`;
    assert.ok(output.includes(repeated), output);
    for (const file of ['repeated.md', 'repeated.html']) {
      const report = readFileSync(join(folder, file), 'utf8');
      assert.match(report, /TCP connect/);
      assert.match(report, /requests repeated, because the target closed an idle connection/);
    }
  });

  test('a slow handshake is no slow answer, and a certificate that is not trusted is told with what to do', async () => {
    const handshakeMs = 300;
    const { cert, key } = makeCertificate();
    writeFileSync(join(folder, 'ca.pem'), `${key}${cert}`);
    const context = createSecureContext({ cert, key });
    using target = await listen(
      createTlsServer(
        { cert, key, SNICallback: (_name, done) => void setTimeout(() => done(null, context), handshakeMs) },
        (_request, response) => void response.setHeader('connection', 'close').end('{}'),
      ) as Server,
    );
    const words = ['run', 'ask.ts', '--target', `https://localhost:${target.port}`, ...few];
    const [refused, trusted, insecure] = await Promise.all(
      [
        ['--out', 'refused'],
        ['--out', 'trusted', '--ca', 'ca.pem'],
        ['--out', 'insecure', '--insecure'],
      ].map((more) => runLab(folder, [...words, ...more])),
    );
    assert.ok(refused && trusted && insecure);
    assert.equal(refused.code, 5);
    assert.match(
      refused.output,
      /: certificate: self-signed; trust its authority with --ca FILE \(PEM\), or .* --insecure\n/,
    );

    const { transport, whole } = readResult('trusted');
    assert.ok(transport?.tls_handshake, trusted.output);
    assert.ok((transport.tls_handshake.percentiles_ms['50'] ?? 0) >= handshakeMs - 2);
    assert.ok((whole.total.percentiles_ms['50'] ?? handshakeMs) < handshakeMs / 2, trusted.output);
    assert.equal(transport.is_certificate_checked, true);

    assert.equal(readResult('insecure').transport?.is_certificate_checked, false);
    assert.match(insecure.output, /the certificate of the target was not checked/);
  });

  test('an address that holds a secret is refused without it', async () => {
    const { code, output } = await runLab(folder, [
      'run',
      'ask.ts',
      '--target',
      'http://bob:SECRET@127.0.0.1:1/?t=SECRET',
    ]);
    assert.equal(code, 1);
    assert.match(output, /Leave out user name and password. A scenario sends them/);
    assert.doesNotMatch(output, /SECRET|bob/);
  });
});
