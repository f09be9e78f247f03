/**
 * The closed model: users that act, wait for the answer, pause, and act again.
 * @module
 */
import { startCrowd } from '../arrivals/closed-users.ts';
import type { LoadModel } from './load-model.ts';
import { behaviourOf, userPlanOf } from './load-plan.ts';
import type { Player } from './players.ts';

/** Nothing is prepared: each user signs in when it comes. */
export const closedUsers: LoadModel = async ({ options, players }) => ({
  connections: players.connections,
  start: (startMs) =>
    startCrowd<string, Player>({
      users: userPlanOf(options),
      seed: options.seed,
      behaviour: behaviourOf(options),
      share: options.share,
      startMs,
      create: (index) => players.create(index),
      enter: (player) => player.enter(),
      act: (player, task) => player.act(task),
      leave: async (player, isEnd) => player.leave?.(isEnd),
      isReady: (player) => player.isReady,
    }),
});
