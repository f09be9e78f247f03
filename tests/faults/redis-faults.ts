/**
 * Faults of the Redis between two machines, and of its clients. Redis only makes sign-outs faster, so no client may notice.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { bothDirections, type Direction, type FaultProxy } from '@catalytic/lab/proxy';
import {
  everybody,
  type Fault,
  healAll,
  nothing,
  pastLease,
  type Scene,
  type Undo,
  undoAfter,
  unprepared,
} from './fault.ts';
import { RedisAttacker } from './redis-attacker.ts';

/** Length of a fault that need not outlast a lease, milliseconds. */
const whileMs = 500;

const onRedis = (prepare: Fault['prepare'], bystanders: NonNullable<Fault['bystanders']> = everybody): Fault => ({
  setting: 'two machines',
  prepare,
  bystanders,
});

const waysToRedis = ({ deployment }: Scene): readonly FaultProxy[] =>
  deployment.machines.map((machine) => machine.way('redis'));

const kill = unprepared(async ({ deployment: { redis } }) => {
  await redis.kill();
  return undoAfter(whileMs, () => redis.start());
});

const restart = unprepared(async ({ deployment: { redis } }) => {
  await redis.kill();
  await redis.start();
  return nothing;
});

const pause = unprepared(async (scene) => undoAfter(pastLease(scene), scene.deployment.holdRedis()));

const flush = unprepared(async ({ deployment, repeat }) => {
  const flushing = deployment.redis.command('FLUSHALL');
  await repeat();
  return async () => void (await flushing);
});

const slow = unprepared(async (scene) => {
  const delayMs = 50 + 250 * scene.random();
  for (const way of waysToRedis(scene)) way.delay(delayMs);
  return undoAfter(whileMs, () => healAll(scene.deployment));
});

/** Repeats commands, whatever Redis answers, until it is stopped. */
const again = (scene: Scene, everyMs: number, commands: readonly (readonly string[])[]): Undo => {
  let isOver = false;
  const { redis } = scene.deployment;
  const sending = (async () => {
    for (; !isOver; await delay(everyMs))
      await Promise.allSettled(commands.map((command) => redis.command(...command)));
  })();
  return async () => {
    isOver = true;
    await sending;
  };
};

const disconnect = unprepared(async (scene) =>
  undoAfter(
    whileMs,
    again(scene, 50, [
      ['CLIENT', 'KILL', 'TYPE', 'pubsub'],
      ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'],
    ]),
  ),
);

const unsubscribe = unprepared(async (scene) =>
  undoAfter(pastLease(scene), again(scene, 10, [['CLIENT', 'KILL', 'TYPE', 'pubsub']])),
);

/** One worker loses Redis while the others have it; its connections stay open. */
const cutOff = (who: 'revoker' | 'other', directions: readonly Direction[] = bothDirections): Fault['prepare'] =>
  unprepared(async (scene) => {
    const { deployment, [who]: worker } = scene;
    deployment.machineOf(worker).way('redis').cut(directions, [worker.pid]);
    return undoAfter(pastLease(scene), () => healAll(deployment));
  });

const refuse = unprepared(async (scene) => {
  const { deployment, other } = scene;
  deployment.machineOf(other).way('redis').reset([other.pid]);
  return undoAfter(pastLease(scene), () => healAll(deployment));
});

/** Longest time until a replica has caught up with its primary, milliseconds. */
const syncMsMax = 5000;

/** A replica falls behind, the primary dies, and the replica takes its place. */
const promoteStale: Fault['prepare'] = async (scene) => {
  const { redis, spareRedis } = scene.deployment;
  await spareRedis.command('REPLICAOF', '127.0.0.1', String(redis.port));
  const isInSync = async (): Promise<boolean> =>
    String(await spareRedis.command('INFO', 'replication')).includes('master_link_status:up');
  for (const until = performance.now() + syncMsMax; !(await isInSync()); await delay(20))
    if (performance.now() > until) throw new Error('The replica does not follow its primary');
  spareRedis.pause();
  return async () => {
    await redis.kill();
    spareRedis.resume();
    const promoted = spareRedis.command('REPLICAOF', 'NO', 'ONE');
    for (const way of waysToRedis(scene)) way.redirect({ host: '127.0.0.1', port: spareRedis.port });
    return undoAfter(pastLease(scene), async () => {
      await promoted;
      await redis.start();
      healAll(scene.deployment);
    });
  };
};

/** Two primaries: one worker goes to the other one. */
const split = unprepared(async (scene) => {
  const { deployment, other } = scene;
  const { port } = deployment.spareRedis;
  deployment.machineOf(other).way('redis').redirect({ host: '127.0.0.1', port }, [other.pid]);
  return undoAfter(pastLease(scene), () => healAll(deployment));
});

/** Acknowledges in the name of a worker on another machine that receives nothing, but accepts tokens until its lease ends. */
const forgeAcknowledgements: Fault['prepare'] = async (scene) => {
  const { deployment, other } = scene;
  const rows = await deployment.query<{ id: string }>('select id from member');
  const attacker = await RedisAttacker.connect(deployment.redis.port);
  return async () => {
    const machine = deployment.machineOf(other);
    for (const way of ['database', 'redis'] as const) machine.way(way).cut(bothDirections, [other.pid]);
    attacker.acknowledgeFor(rows.map(({ id }) => id));
    return undoAfter(pastLease(scene), () => {
      attacker.close();
      healAll(deployment);
    });
  };
};

/** Forges the sign-out of a session that was not signed out. */
const forgeHints: Fault['prepare'] = async (scene) => {
  const attacker = await RedisAttacker.connect(scene.deployment.redis.port);
  return async () => {
    attacker.signOut(scene.controlSessionId);
    await scene.repeat();
    return undoAfter(whileMs, () => attacker.close());
  };
};

const double: Fault['prepare'] = async (scene) => {
  const attacker = await RedisAttacker.connect(scene.deployment.redis.port);
  return async () => {
    attacker.repeatEverything();
    return undoAfter(whileMs, () => attacker.close());
  };
};

const withDatabase = unprepared(async (scene) => {
  const { redis, postgres } = scene.deployment;
  postgres.pause();
  await redis.kill();
  return undoAfter(pastLease(scene), async () => {
    postgres.resume();
    await redis.start();
  });
});

/** These faults, by name. */
export const redisFaults: Readonly<Record<string, Fault>> = {
  'redis killed, started empty': onRedis(kill),
  'redis restarted empty at once': onRedis(restart),
  'redis paused past the lease': onRedis(pause),
  'redis flushed': onRedis(flush),
  'redis delayed': onRedis(slow),
  'redis disconnects everybody again and again': onRedis(disconnect),
  'redis forgets subscriptions': onRedis(unsubscribe),
  'worker cut from redis': onRedis(cutOff('other')),
  'worker refused by redis': onRedis(refuse),
  'revoking worker cut from redis': onRedis(cutOff('revoker')),
  'revoking worker cannot publish': onRedis(cutOff('revoker', ['up'])),
  'revoking worker hears nothing from redis': onRedis(cutOff('revoker', ['down'])),
  'stale replica of redis promoted': onRedis(promoteStale),
  'two redis primaries': onRedis(split),
  'acknowledgements forged': {
    ...onRedis(forgeAcknowledgements, ({ revoker, third }) => [revoker, third]),
    isAcross: true,
  },
  'hints forged': onRedis(forgeHints),
  'messages doubled': onRedis(double),
  'redis killed, postgres paused': onRedis(withDatabase, () => []),
};
