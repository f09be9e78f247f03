// An API on Fastify 5 that checks tokens in its own process. They are dead here when a sign-out has
// answered 200.
import { createGuard } from '@catalytic/guard';
import fastify from 'fastify';

const guard = await createGuard({
  issuer: process.env.CATALYTIC_URL ?? 'http://127.0.0.1:8000',
  key: process.env.CATALYTIC_GUARD_KEY,
});
const notes = ['water the plants'];

const app = fastify();
await app.register(guard.fastify);
app.get('/notes', async (request) => ({ account: request.auth.subject, notes }));
// Only editors, and only for five minutes after they have typed their password.
app.delete('/notes', { onRequest: guard.fastifyNeeds({ role: 'editor', freshSignIn: '5m' }) }, async () => {
  notes.length = 0;
  return { notes };
});

const port = Number(process.env.PORT ?? 3000);
await app.listen({ port, host: '127.0.0.1' });
process.stdout.write(`The API listens on http://127.0.0.1:${port}\n`);
// The guard leaves last, so that no sign-out waits for it any more.
process.once('SIGTERM', () => app.close().then(() => guard.stop()));
