/**
 * The hashing process: computes password hashes at low priority, so that a storm of logins gets
 * only CPU time that no other process needs. `hash-lanes.ts` starts it, bounds the number of hashes
 * that run at once, and talks to it over the IPC channel.
 * @module
 */
import { constants, setPriority } from 'node:os';
import { argon2idCost } from '@catalytic/protocol/argon2id-cost';
import { hash } from '@node-rs/argon2';
import { type LaneReply, type LaneRequest, ping } from './lane-messages.ts';
import { verifyHash } from './verify-hash.ts';

const answer = async ({ id, password, storedHash }: LaneRequest): Promise<LaneReply> => {
  try {
    const result =
      storedHash === undefined
        ? await hash(password, {
            memoryCost: argon2idCost.memoryKib,
            timeCost: argon2idCost.passes,
            parallelism: argon2idCost.parallelism,
          })
        : await verifyHash(storedHash, password);
    return { id, result };
  } catch (error) {
    // The library's messages name the parameter that is wrong, never the password.
    return { id, error: error instanceof Error ? error.message : 'unknown error' };
  }
};

setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
// The parent ends this process by closing the channel. Signals to the process group of the parent
// are ignored.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// As in `main.ts`: the signal must not open Node's inspector.
process.on('SIGUSR1', () => {});
process.on('disconnect', () => process.exit(0));
// The parent may be gone when a reply is sent. Then the reply is lost, and this process is about to
// end.
const reply = (message: LaneReply | typeof ping): void => {
  process.send?.(message, undefined, undefined, () => {});
};
process.on('message', (request: LaneRequest | typeof ping) => {
  if (request === ping) reply(ping);
  else void answer(request).then(reply);
});
