/**
 * The least that Node can do for a request: `node:http`, fixed bytes, nothing looked at. Headers and body come from the environment.
 * @module
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const headers = JSON.parse(process.env['BARE_HEADERS'] ?? '{}') as Record<string, string>;
const body = process.env['BARE_BODY'] ?? '';

const server = createServer((_request, response) => {
  response.writeHead(200, headers);
  response.end(body);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`serves on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
