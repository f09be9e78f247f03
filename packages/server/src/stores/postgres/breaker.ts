/**
 * The circuit breaker around every call of a store. While the database is away, requests are
 * refused at once instead of after a deadline.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen, isBrokenCircuitError } from 'cockatiel';
import type { Run } from './transactions.ts';
import { unavailable } from './unavailable.ts';

/** Consecutive failures that open the breaker. */
const failuresMax = 5;
/** Time until one call is allowed as a probe, milliseconds. */
const halfOpenAfterMs = 1000;

const isOutage = (error: unknown): boolean => error instanceof CatalyticError && error.code === 'store_unavailable';

/**
 * Allows calls while the database answers. A refusal of the domain or a wrong statement counts as
 * an answer.
 * @param onProblem called when the breaker opens and when it closes again
 * @param server name of the database in those messages
 * @param meanwhile what happens while the breaker is open, in those messages
 */
export const withBreaker = (
  run: Run,
  onProblem: (message: string) => void,
  server = 'PostgreSQL',
  meanwhile = 'requests that need it are refused at once',
): Run => {
  const policy = circuitBreaker(handleWhen(isOutage), {
    halfOpenAfter: halfOpenAfterMs,
    breaker: new ConsecutiveBreaker(failuresMax),
  });
  policy.onBreak(() => onProblem(`${server} does not answer: ${meanwhile}`));
  policy.onReset(() => onProblem(`${server} answers again`));
  return async (tenant, ...statements) => {
    // One call probes. The others are refused without waiting for it.
    if (policy.state === CircuitState.HalfOpen) throw unavailable(new Error('The circuit breaker is half open'));
    try {
      return await policy.execute(() => run(tenant, ...statements));
    } catch (error) {
      throw isBrokenCircuitError(error) ? unavailable(error) : error;
    }
  };
};
