/**
 * Revocations in this process: its view of them, the reader that keeps it current, and the barrier
 * behind which a sign-out waits.
 * @module
 */
import { systemClocks } from '@catalytic/guard/clocks';
import { JournalReader } from '@catalytic/guard/journal-reader';
import { View } from '@catalytic/guard/view';
import { layeredBus } from '../bus/layered-bus.ts';
import { RedisBus } from '../bus/redis-bus.ts';
import type { WorkerLink } from '../cluster/worker-link.ts';
import type { Config } from '../config/options.ts';
import { findRedis } from '../deployment.ts';
import type { GuardKeys } from '../features/guard-keys/known-guard-keys.ts';
import { Polls } from '../features/guards/polls.ts';
import { Barrier } from '../features/revocation/barrier.ts';
import { MessageSeal } from '../features/secrets/message-seal.ts';
import { deriveKey } from '../features/secrets/seal.ts';
import type { Secret } from '../features/secrets/secret.ts';
import type { KeyRing } from '../features/signing-keys/key-ring.ts';
import type { Stores } from '../stores/stores.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Closers } from './closers.ts';

/** What this works with. */
export interface FollowParts {
  readonly config: Config;
  /** To the other processes of this machine. */
  readonly link: WorkerLink;
  readonly stores: Pick<Stores, 'journal' | 'members' | 'deployment' | 'guards'>;
  readonly keys: Pick<KeyRing, 'jwksTag'>;
  /** How long an entry of the journal is kept, milliseconds. */
  readonly keepMs: number;
  readonly guardKeys: Pick<GuardKeys, 'revisionIs'>;
  readonly masterKey: Secret<Buffer>;
  readonly metrics: Pick<Metrics, 'bus' | 'revocations'>;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** Revocations, followed. */
export interface Revocations {
  readonly view: View;
  readonly reader: JournalReader;
  readonly barrier: Barrier;
  readonly polls: Polls;
  /** Whether hints travel between machines; absent where no bus carries them. */
  readonly isBusUp: (() => boolean) | undefined;
}

/**
 * Opens the bus over Redis, if one is configured. Its key is derived from this database and its
 * generation: a process does not accept what is said in a copy of the database, or was said before
 * a backup was restored.
 */
const openRedisBus = async (
  { config, stores: { deployment }, masterKey, metrics, onProblem }: FollowParts,
  closers: Closers,
): Promise<RedisBus | undefined> => {
  const place = findRedis(config);
  if (place === undefined) return undefined;
  const observer = metrics.bus('redis');
  const key = deriveKey(masterKey.reveal(), `catalytic bus ${await deployment.scope()}`);
  const bus = new RedisBus({ place, key, observer, onProblem });
  bus.start();
  closers.add(() => bus.close());
  return bus;
};

/** Starts to follow. When it resolves, every revocation in the journal is in the view. */
export const followRevocations = async (parts: FollowParts, closers: Closers): Promise<Revocations> => {
  const { config, link, stores, metrics, masterKey, keys, keepMs, guardKeys, onProblem } = parts;
  const redis = await openRedisBus(parts, closers);
  const view = new View();
  const polls = new Polls({
    clocks: systemClocks,
    reader: () => reader,
    guards: stores.guards,
    seal: new MessageSeal(deriveKey(masterKey.reveal(), 'catalytic guard cursors')),
    leaseMs: config.revocationLeaseMs,
    onGuardKeys: (revision) => guardKeys.revisionIs(revision),
    facts: () => ({ now: Date.now(), keep_ms: keepMs, keys: keys.jwksTag }),
  });
  const reader: JournalReader = new JournalReader({
    source: stores.journal.openSource(),
    view,
    clocks: systemClocks,
    leaseMs: config.revocationLeaseMs,
    onRegistering: (member) => link.registering(member),
    onProblem,
    follower: polls,
  });
  closers.add(() => reader.stop());
  link.onReaped((ids) => {
    stores.members.remove(ids).catch((error: unknown) => onProblem('Cannot remove members that are gone', error));
  });
  const barrier = new Barrier({
    members: stores.members,
    reader,
    guards: polls,
    bus: redis === undefined ? link.bus : layeredBus([link.bus, redis]),
    clocks: systemClocks,
    answerMs: config.revocationAnswerMs,
    onProblem,
    observer: metrics.revocations,
  });
  await reader.start();
  // From the start on: a member that dies is then found before a revocation has to wait for it.
  barrier.watch();
  closers.add(() => barrier.close());
  return { view, reader, barrier, polls, isBusUp: redis === undefined ? undefined : () => redis.isUp };
};
