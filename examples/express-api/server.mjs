// An API on Express 5 that checks tokens in its own process. They are dead here when a sign-out has
// answered 200.
import { createGuard } from '@catalytic/guard';
import express from 'express';

const guard = await createGuard({
  issuer: process.env.CATALYTIC_URL ?? 'http://127.0.0.1:8000',
  key: process.env.CATALYTIC_GUARD_KEY,
});
const notes = ['water the plants'];

const app = express();
app.use(guard.express());
app.get('/notes', (request, response) => response.json({ account: request.auth.subject, notes }));
// Only editors, and only for five minutes after they have typed their password.
app.delete('/notes', guard.needs({ role: 'editor', freshSignIn: '5m' }), (_request, response) => {
  notes.length = 0;
  response.json({ notes });
});

const port = Number(process.env.PORT ?? 3000);
const server = app.listen(port, '127.0.0.1', () =>
  process.stdout.write(`The API listens on http://127.0.0.1:${port}\n`),
);
// The guard leaves last, so that no sign-out waits for it any more.
process.once('SIGTERM', () => server.close(() => guard.stop()));
