/**
 * The circuit breaker around every call of a store: while the database is away, requests are refused at once instead of each waiting for
 * its own deadline.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen, isBrokenCircuitError } from 'cockatiel';
import type { Run } from './transactions.ts';
import { unavailable } from './unavailable.ts';

/** Failures in a row that open it. */
const failuresMax = 5;
/** Time until one call is let through to see whether the database is back, milliseconds. */
const halfOpenAfterMs = 1000;

const isOutage = (error: unknown): boolean => error instanceof CatalyticError && error.code === 'store_unavailable';

/**
 * Lets calls through while the database answers. A refusal of the domain or a wrong statement is an answer.
 * @param onProblem told when it opens and when it closes again
 * @param server what is called, in words
 * @param meanwhile what happens while it is open
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
    // One call probes; the others do not wait for it.
    if (policy.state === CircuitState.HalfOpen) throw unavailable(new Error('The circuit breaker is half open'));
    try {
      return await policy.execute(() => run(tenant, ...statements));
    } catch (error) {
      throw isBrokenCircuitError(error) ? unavailable(error) : error;
    }
  };
};
