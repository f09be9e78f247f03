// What a user of @catalytic/guard writes, in strict TypeScript. It is compiled and run in a project that has the packed package and nothing of
// this repository. It prints what each guarded handler answers, in each mode.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Auth, createGuard, type GuardState, type Mode, type Needs, type Verdict } from '@catalytic/guard';
import { testIssuer } from '@catalytic/guard/testing';

const needs: Needs = { role: 'editor', freshSignIn: '5m', whenStale: 'deny' };

const listen = (server: Server): Promise<string> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });

type Answers = Readonly<Record<string, readonly [number, number, boolean]>>;

const tryMode = async (mode: Mode): Promise<Answers> => {
  const service = await testIssuer({ leaseMs: 500 });
  const { issuer, key } = service;
  const guard = await createGuard({ mode, issuer, key, timeoutMs: 1000, onProblem: () => {} });
  const server = createServer(guard.node((request, response) => void response.end(request.auth.subject), needs));
  const url = await listen(server);
  const handler = guard.fetch(
    (request: Request, auth: Auth, more: string) => Response.json({ url: request.url, auth, more }),
    needs,
  );
  const ask = async (token?: string): Promise<readonly [number, number, boolean]> => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const byNode = await fetch(url, { headers });
    const byFetch = await handler(new Request('http://api.example/', { headers }), 'more');
    const verdict: Verdict = await guard.verify(headers['authorization']);
    return [byNode.status, byFetch.status, verdict.accepted];
  };

  const editor = service.token({ roles: ['editor'] });
  const answers: Record<string, readonly [number, number, boolean]> = {
    alive: await ask(editor),
    without: await ask(),
    reader: await ask(service.token()),
  };
  await service.revoke(editor);
  answers['signed out'] = await ask(editor);
  service.freeze();
  const state: GuardState = guard.state;
  await delay(state.remainingMs + 1);
  answers['away'] = await ask(service.token({ roles: ['editor'] }));
  await guard.stop();
  await service.close();
  server.closeAllConnections();
  server.close();
  return answers;
};

const answers: Record<string, Answers> = {};
for (const mode of ['strict', 'follow', 'ask'] as const) answers[mode] = await tryMode(mode);
process.stdout.write(`${JSON.stringify(answers)}\n`);
