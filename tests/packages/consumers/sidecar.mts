/** The sidecar as its command starts it: prints what it answers, and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { testIssuer } from '@catalytic/guard/testing';

const service = await testIssuer({ leaseMs: 2000 });
const sidecar: ChildProcess = spawn(
  process.execPath,
  ['node_modules/.bin/catalytic-guard', '--listen', '127.0.0.1:0', '--issuer', service.issuer],
  { stdio: ['ignore', 'inherit', 'pipe'], env: { CATALYTIC_GUARD_KEY: service.key } },
);

const addressOf = async (): Promise<string> => {
  if (sidecar.stderr !== null)
    for await (const line of createInterface(sidecar.stderr)) {
      const [, address] = /Listening on ([\d.:]+)/.exec(line) ?? [];
      if (address !== undefined) return address;
    }
  throw new Error('The sidecar ended before it listened');
};

const url = `http://${await addressOf()}/check?role=editor`;
const ask = async (token: string): Promise<[number, string | null]> => {
  const { status, headers } = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  return [status, headers.get('catalytic-roles')];
};

const token = service.token({ roles: ['editor', 'é'] });
const alive = await ask(token);
const reader = await ask(service.token());
await service.revoke(token);
const revoked = await ask(token);
sidecar.kill('SIGTERM');
const [ended] = (await once(sidecar, 'exit')) as [number | null];
await service.close();
process.stdout.write(JSON.stringify({ alive, reader, revoked, ended }));
