// As plain.mts, with the frameworks themselves.
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Auth, authOf, createGuard } from '@catalytic/guard';
import { testIssuer } from '@catalytic/guard/testing';
import { serve } from '@hono/node-server';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';

const service = await testIssuer({ leaseMs: 500 });
const { issuer, key } = service;
const guard = await createGuard({ issuer, key, onProblem: () => {} });

const app = express();
app.use(guard.express());
app.get('/notes', (request, response) => void response.json({ account: authOf(request).subject }));
app.delete('/notes', guard.needs({ role: 'editor' }), (_request, response) => void response.sendStatus(204));
const expressServer = app.listen(0, '127.0.0.1');
await new Promise((resolve) => expressServer.once('listening', resolve));

const fastify = Fastify();
await fastify.register(guard.fastify);
fastify.get('/notes', async (request) => ({ account: authOf(request).subject }));
fastify.delete('/notes', { onRequest: guard.fastifyNeeds({ role: 'editor' }) }, async (_request, reply) =>
  reply.code(204).send(),
);
await fastify.listen({ port: 0, host: '127.0.0.1' });

const hono = new Hono<{ Variables: { auth: Auth } }>();
hono.use(guard.hono());
hono.get('/notes', (context) => context.json({ account: context.get('auth').subject }));
hono.delete('/notes', guard.hono({ role: 'editor' }), (context) => context.body(null, 204));
const honoServer = serve({ fetch: hono.fetch, port: 0, hostname: '127.0.0.1' });
await new Promise((resolve) => honoServer.once('listening', resolve));

const ports = {
  express: (expressServer.address() as AddressInfo).port,
  fastify: (fastify.server.address() as AddressInfo).port,
  hono: (honoServer.address() as AddressInfo).port,
};
const answers: Record<string, readonly (string | number)[]> = {};
for (const [framework, port] of Object.entries(ports)) {
  const ask = async (method: string, token?: string): Promise<number> => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await fetch(`http://127.0.0.1:${port}/notes`, { method, headers })).status;
  };
  service.thaw();
  while (!guard.state.current) await delay(20);
  const [reader, editor] = [service.token(), service.token({ roles: ['editor'] })];
  const before = [await ask('GET'), await ask('GET', reader), await ask('DELETE', reader), await ask('DELETE', editor)];
  await service.revoke(reader);
  const after = await ask('GET', reader);
  service.freeze();
  await delay(guard.state.remainingMs + 1);
  answers[framework] = [...before, after, await ask('GET', editor)];
}
process.stdout.write(`${JSON.stringify(answers)}\n`);
process.exit(0);
