// What a user of @catalytic/guard writes, in strict TypeScript. It is compiled and run in a project that has the packed package and nothing of
// this repository. It prints what each guarded handler answers.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Auth, createGuard, type Needs, type Verdict } from '@catalytic/guard';
import { testIssuer } from '@catalytic/guard/testing';

const service = await testIssuer();
const guard = await createGuard({ mode: 'ask', issuer: service.issuer, timeoutMs: 500, onProblem: () => {} });
const needs: Needs = { role: 'editor', freshSignIn: '5m' };

const listen = (server: Server): Promise<string> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });

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
answers['away'] = await ask(editor);
process.stdout.write(`${JSON.stringify({ answers, state: guard.state.mode })}\n`);
await guard.stop();
await service.close();
server.closeAllConnections();
server.close();
