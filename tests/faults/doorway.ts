/**
 * Opens the services on the loopback interface of a machine with a separate network to the outside, as a balancer or a TLS terminator there would:
 * `node tests/faults/doorway.ts ADDRESS PORT`, until the other end of its standard input is gone.
 * @module
 */
import { startProxy } from '@catalytic/lab/proxy';

const [address = '', port = ''] = process.argv.slice(2);
await startProxy({
  listenHost: address,
  listenPort: Number(port),
  targetHost: '127.0.0.1',
  targetPort: Number(port),
});
process.stdin.on('end', () => process.exit()).resume();
